// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";

describe("PutItem", () => {
  let server, client;
  const put = (Item, more = {}) => ask(client, "PutItem", { TableName: "Things", Item, ...more });
  const get = async (p) => (await ask(client, "GetItem", { TableName: "Things", Key: { p: { S: p } } })).Item;
  const putFails = (Item, sentence, more = {}, name = "ValidationException") =>
    refuses(client, "PutItem", { TableName: "Things", Item, ...more }, name, sentence);

  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
    await makeTable(client, "Sorted", "N", {
      attributes: [{ AttributeName: "g", AttributeType: "S" }, { AttributeName: "h", AttributeType: "N" }],
      input: {
        GlobalSecondaryIndexes: [
          { IndexName: "ByG", KeySchema: [{ AttributeName: "g", KeyType: "HASH" }, { AttributeName: "h", KeyType: "RANGE" }], Projection: { ProjectionType: "ALL" } },
        ],
      },
    });
  });
  after(() => server.stop());

  it("answers with nothing", async () => assert.deepEqual(await put({ p: { S: "a" } }), {}));

  for (const [what, value] of Object.entries({
    "an empty string": { S: "" },
    "a string of any Unicode": { S: "\u0000 é 漢 \u{1F600}" },
    "an empty binary": { B: new Uint8Array() },
    "a binary": { B: new Uint8Array([0, 255, 128]) },
    "true": { BOOL: true },
    "null": { NULL: true },
    "an empty list": { L: [] },
    "an empty map": { M: {} },
    "a list of everything": { L: [{ S: "x" }, { N: "1" }, { M: { y: { L: [{ BOOL: false }] } } }] },
    "a string set": { SS: ["", "a", "b"] },
    "a number set": { NS: ["-1", "2.5", "10"] },
    "a binary set": { BS: [new Uint8Array([1]), new Uint8Array([2, 3])] },
  }))
    it(`keeps ${what}`, async () => {
      await put({ p: { S: what }, v: value });
      assert.deepEqual(await get(what), { p: { S: what }, v: value });
    });

  for (const [given, kept] of [
    ["0", "0"], ["-0", "0"], ["+5", "5"], ["007", "7"], ["1.50", "1.5"], [".5", "0.5"], ["5.", "5"], ["1e3", "1000"],
    ["1E-3", "0.001"], ["-1.5e-2", "-0.015"], ["1e-20", "0.00000000000000000001"],
    ["12345678901234567890123456789012345678", "12345678901234567890123456789012345678"],
    ["1E125", `1${"0".repeat(125)}`], ["0.1e126", `1${"0".repeat(125)}`],
    ["9.9999999999999999999999999999999999999E+125", `${"9".repeat(38)}${"0".repeat(88)}`],
  ])
    it(`writes the number ${given} as ${kept.length > 40 ? `${kept.slice(0, 8)}...` : kept}`, async () => {
      await put({ p: { S: "n" }, v: { N: given } });
      assert.equal((await get("n")).v.N, kept);
    });

  for (const [given, sentence] of [
    ["x", "The parameter cannot be converted to a numeric value: x"],
    ["", "The parameter cannot be converted to a numeric value"],
    ["1 ", "The parameter cannot be converted to a numeric value: 1 "],
    ["NaN", "The parameter cannot be converted to a numeric value: NaN"],
    ["0x10", "The parameter cannot be converted to a numeric value: 0x10"],
    ["1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"],
    ["1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"],
    ["123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"],
  ])
    it(`refuses the number "${given}"`, () => putFails({ p: { S: "n" }, v: { N: given } }, sentence));

  for (const [what, value, sentence] of [
    ["NULL that is false", { NULL: false }, `${P}Null attribute value types must have the value of true`],
    ["an empty string set", { SS: [] }, `${P}An string set  may not be empty`],
    ["an empty number set", { NS: [] }, `${P}An number set  may not be empty`],
    ["an empty binary set", { BS: [] }, `${P}Binary sets should not be empty`],
    ["a string twice", { SS: ["a", "a"] }, `${P}Input collection [a, a] contains duplicates.`],
    ["a number twice, in two spellings", { NS: ["1", "1.0"] }, "Input collection contains duplicates"],
    ["a set inside a map that is empty", { M: { a: { SS: [] } } }, `${P}An string set  may not be empty`],
  ])
    it(`refuses ${what}`, () => putFails({ p: { S: "a" }, v: value }, sentence));

  it("refuses what is nested too deeply", () => {
    let value = { S: "x" };
    for (let i = 0; i < 32; i++) value = { L: [value] };
    return putFails({ p: { S: "a" }, v: value }, "Nesting Levels have exceeded supported limits");
  });

  it("takes 32 levels", async () => {
    let value = { S: "x" };
    for (let i = 0; i < 31; i++) value = { L: [value] };
    await put({ p: { S: "deep" }, v: value });
    assert.deepEqual((await get("deep")).v, value);
  });

  it("takes 409600 bytes and not one more", async () => {
    await put({ p: { S: "big" }, v: { S: "x".repeat(409600 - 5) } });
    await putFails({ p: { S: "big" }, v: { S: "x".repeat(409600 - 4) } }, "Item size has exceeded the maximum allowed size");
  });

  it("wants the key", () => putFails({ v: { S: "a" } }, `${P}Missing the key p in the item`));
  it("wants the key's type", () => putFails({ p: { N: "1" } }, `${P}Type mismatch for key p expected: S actual: N`));
  it("refuses an empty key", () =>
    putFails({ p: { S: "" } }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"));
  it("refuses a partition key of 2049 bytes", () =>
    putFails({ p: { S: "x".repeat(2049) } }, `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`));
  it("takes a partition key of 2048 bytes", () => put({ p: { S: "x".repeat(2048) } }));

  it("refuses an index key of another type", () =>
    refuses(client, "PutItem", { TableName: "Sorted", Item: { p: { S: "a" }, s: { N: "1" }, g: { N: "1" } } },
      "ValidationException", `${P}Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG`));
  it("refuses an empty index key", () =>
    refuses(client, "PutItem", { TableName: "Sorted", Item: { p: { S: "a" }, s: { N: "1" }, g: { S: "" } } },
      "ValidationException",
      "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ByG, IndexKey: g"));
  it("keeps an item without index keys out of the index", async () => {
    await ask(client, "PutItem", { TableName: "Sorted", Item: { p: { S: "sparse" }, s: { N: "1" }, g: { S: "only" } } });
    assert.equal((await ask(client, "Scan", { TableName: "Sorted", IndexName: "ByG" })).Count, 0);
  });

  it("returns the old item when asked", async () => {
    await put({ p: { S: "old" }, v: { N: "1" } });
    assert.deepEqual(await put({ p: { S: "old" }, v: { N: "2" } }, { ReturnValues: "ALL_OLD" }), {
      Attributes: { p: { S: "old" }, v: { N: "1" } },
    });
  });
  it("returns nothing when there was none", async () =>
    assert.deepEqual(await put({ p: { S: "fresh" } }, { ReturnValues: "ALL_OLD" }), {}));
  for (const returns of ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
    it(`cannot return ${returns}`, () =>
      putFails({ p: { S: "a" } }, "ReturnValues can only be ALL_OLD or NONE", { ReturnValues: returns }));

  it("keeps to a condition", async () => {
    await put({ p: { S: "once" } });
    const error = await putFails({ p: { S: "once" } }, "The conditional request failed",
      { ConditionExpression: "attribute_not_exists(p)" }, "ConditionalCheckFailedException");
    assert.equal(error.Item, undefined);
  });
  it("shows the item that a condition met", async () => {
    await put({ p: { S: "met" }, v: { N: "7" } });
    const error = await putFails({ p: { S: "met" } }, "The conditional request failed",
      { ConditionExpression: "attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
      "ConditionalCheckFailedException");
    assert.deepEqual(error.Item, { p: { S: "met" }, v: { N: "7" } });
  });
  it("knows what it consumed", async () =>
    assert.deepEqual(await put({ p: { S: "c" }, v: { S: "x".repeat(1500) } }, { ReturnConsumedCapacity: "TOTAL" }), {
      ConsumedCapacity: { TableName: "Things", CapacityUnits: 2 },
    }));
  it("does not know other tables", () =>
    refuses(client, "PutItem", { TableName: "None", Item: { p: { S: "a" } } }, "ResourceNotFoundException", "Requested resource not found"));
  it("refuses expressions and old parameters together", () =>
    putFails({ p: { S: "a" } },
      "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
      { ConditionExpression: "attribute_not_exists(p)", Expected: { p: { Exists: false } } }));
  it("lists what is wrong with words", () =>
    putFails({ p: { S: "a" } },
      "3 validation errors detected: Value 'a' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value 'b' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value 'c' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]",
      { ReturnValues: "a", ReturnConsumedCapacity: "b", ReturnItemCollectionMetrics: "c" }));
});
