// SPDX-License-Identifier: MIT
// Attribute values as no SDK would write them, and tables by their ARN.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { arn, P, useServer } from "../lib/suite.js";

const S = (text) => ({ S: text }), N = (number) => ({ N: String(number) });
const EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
const SEVERAL = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";

describe("a value", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const WRONG = [
    [{}, EMPTY], [{ dog: "x" }, EMPTY], [{ s: "x" }, EMPTY], [{ S: null }, EMPTY], [{ M: { a: {} } }, EMPTY], [{ L: [{ S: "x" }, {}] }, EMPTY],
    [{ S: "a", N: "1" }, SEVERAL], [{ S: "a", SS: ["a"] }, SEVERAL], [{ BOOL: true, NULL: true }, SEVERAL], [{ L: [{ S: "a", B: "YQ==" }] }, SEVERAL], [{ M: { a: { N: "1", S: "1" } } }, SEVERAL],
    [{ NULL: false }, `${P}Null attribute value types must have the value of true`], [{ NULL: "no" }, `${P}Null attribute value types must have the value of true`],
    [{ SS: [] }, `${P}An string set  may not be empty`], [{ NS: [] }, `${P}An number set  may not be empty`], [{ BS: [] }, `${P}Binary sets should not be empty`],
    [{ M: { a: { L: [{ NS: [] }] } } }, `${P}An number set  may not be empty`],
    [{ SS: ["a", "b", "a"] }, `${P}Input collection [a, b, a] contains duplicates.`], [{ NS: ["1", "1"] }, "Input collection contains duplicates"],
    [{ NS: ["10", "1e1"] }, "Input collection contains duplicates"], [{ BS: ["YQ==", "YQ=="] }, /^One or more parameter values were invalid: Input collection \[.*\]of type BS contains duplicates\.$/],
    [{ N: "" }, "The parameter cannot be converted to a numeric value"], [{ N: "abc" }, "The parameter cannot be converted to a numeric value: abc"], [{ NS: ["1", ""] }, "The parameter cannot be converted to a numeric value"],
  ];
  const told = async (call, body, sentence) => {
    const { status, json } = await db.post(call, body);
    assert.deepEqual([status, json.__type], [400, "com.amazon.coral.validate#ValidationException"], JSON.stringify(json));
    if (typeof sentence === "string") assert.equal(json.message, sentence);
    else assert.match(json.message, sentence);
  };
  for (const [value, sentence] of WRONG) {
    const shown = JSON.stringify(value);
    it(`${shown} is none in an item`, () => told("PutItem", { TableName: "Things", Item: { p: S("a"), v: value } }, sentence));
    it(`${shown} is none in a key`, () => told("GetItem", { TableName: "Things", Key: { p: value } }, sentence));
    it(`${shown} is none in a batch`, () => told("BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: { p: S("a"), v: value } } }] } }, sentence));
    it(`${shown} is none in an expression`, () =>
      told("UpdateItem", { TableName: "Things", Key: { p: S("a") }, UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": value } },
        typeof sentence === "string" ? `ExpressionAttributeValues contains invalid value: ${sentence} for key :v` : /^ExpressionAttributeValues contains invalid value: .* for key :v$/));
    it(`${shown} is none in an old update`, () => told("UpdateItem", { TableName: "Things", Key: { p: S("a") }, AttributeUpdates: { v: { Value: value } } }, sentence));
    it(`${shown} is none for a statement`, () => told("ExecuteStatement", { Statement: "SELECT * FROM Things WHERE v = ?", Parameters: [value] }, sentence));
  }

  for (const [what, given, kept] of [
    ["null beside its type is nothing", { S: "x", N: null }, S("x")],
    ["NULL may be said in words", { NULL: "true" }, { NULL: true }],
    ["BOOL may be said in words", { BOOL: "no" }, { BOOL: false }],
    ["an unknown tag beside a known one is ignored", { S: "x", dog: "y" }, S("x")],
    ["zero bytes and Unicode are kept", S("\u0000\u001f\u2028\ud83d\ude00"), S("\u0000\u001f\u2028\ud83d\ude00")],
    ["an empty binary is kept", { B: "" }, { B: "" }],
    ["empty elements of sets are kept", { SS: ["", "a"] }, { SS: ["", "a"] }],
    ["sets come back sorted or as they were, but whole", { NS: ["3", "1e0", "2"] }, undefined],
  ])
    it(what, async () => {
      assert.equal((await db.post("PutItem", { TableName: "Things", Item: { p: S("kept"), v: given } })).status, 200);
      const { json } = await db.post("GetItem", { TableName: "Things", Key: { p: S("kept") } });
      if (kept) assert.deepEqual(json.Item.v, kept);
      else assert.deepEqual([...json.Item.v.NS].sort(), ["1", "2", "3"]);
    });
  it("may be escaped as JSON likes it", async () => {
    await db.post("PutItem", "{\"TableName\":\"Th\\u0069ngs\",\"It\\u0065m\":{\"p\":{\"\\u0053\":\"esc\\/\\u00e9\\ud83d\\ude00\\n\"}}}");
    assert.deepEqual((await db.post("GetItem", { TableName: "Things", Key: { p: S("esc/é\u{1F600}\n") } })).json, { Item: { p: S("esc/é\u{1F600}\n") } });
  });
  for (const [what, body] of [["a lone surrogate", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"\\ud800\"}}}"], ["a control byte", "{\"TableName\":\"Things\",\"Item\":{\"p\":{\"S\":\"a\u0001\"}}}"],
    ["a comma too many", "{\"TableName\":\"Things\",}"], ["a comment", "{\"TableName\":/* */\"Things\"}"], ["single quotes", "{'TableName':'Things'}"], ["NaN", "{\"TableName\":NaN}"], ["a leading zero", "{\"Limit\":01}"], ["a hex number", "{\"Limit\":0x1}"], ["a bare word", "{TableName:\"Things\"}"],
    ["an end too early", "{\"TableName\":\"Things\""], ["bytes after its end", "{\"TableName\":\"Things\"}x"]])
    it(`with ${what} is no JSON`, async () => {
      const { status, json } = await db.post("PutItem", body);
      assert.deepEqual([status, json.__type], [400, "com.amazon.coral.service#SerializationException"], JSON.stringify(json));
    });
  it("with white space everywhere is JSON", async () =>
    assert.equal((await db.post("GetItem", " \r\n\t{ \"TableName\" :\n\"Things\" , \"Key\":{\"p\" : {\"S\"\t:\"a\"}} } \n")).status, 200));
});

describe("a table's ARN", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const TableName = arn("Things"), Key = { p: S("a") }, Item = { ...Key, v: N(1) };
  const ok = async (call, body) => {
    const { status, json } = await db.post(call, body);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  it("is its name for PutItem", () => ok("PutItem", { TableName, Item }));
  it("is its name for GetItem", async () => assert.deepEqual(await ok("GetItem", { TableName, Key }), { Item }));
  it("is its name for UpdateItem", () => ok("UpdateItem", { TableName, Key }));
  it("is its name for Query", async () => assert.equal((await ok("Query", { TableName, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") } })).Count, 1));
  it("is its name for Scan", async () => assert.equal((await ok("Scan", { TableName })).Count, 1));
  it("is its name for BatchGetItem, and in the answer", async () => assert.deepEqual(await ok("BatchGetItem", { RequestItems: { [TableName]: { Keys: [Key] } } }), { Responses: { [TableName]: [Item] }, UnprocessedKeys: {} }));
  it("is its name for BatchWriteItem", () => ok("BatchWriteItem", { RequestItems: { [TableName]: [{ PutRequest: { Item } }] } }));
  it("is its name for TransactWriteItems", () => ok("TransactWriteItems", { TransactItems: [{ Put: { TableName, Item } }] }));
  it("is its name for TransactGetItems", async () => assert.deepEqual(await ok("TransactGetItems", { TransactItems: [{ Get: { TableName, Key } }] }), { Responses: [{ Item }] }));
  it("is its name for DescribeTable", async () => assert.equal((await ok("DescribeTable", { TableName })).Table.TableName, "Things"));
  it("is its name for DescribeTimeToLive", () => ok("DescribeTimeToLive", { TableName }));
  it("and its name are one table in a transaction", async () => {
    const { json } = await db.post("TransactWriteItems", { TransactItems: [{ Put: { TableName, Item } }, { Delete: { TableName: "Things", Key } }] });
    assert.equal(json.message, "Transaction request cannot include multiple operations on one item");
  });
  it("is its name for DeleteItem", () => ok("DeleteItem", { TableName, Key }));
  it("of another table is looked for in vain", async () => assert.match((await db.post("GetItem", { TableName: arn("Others"), Key })).json.__type, /#ResourceNotFoundException$/));
});
