// SPDX-License-Identifier: MIT
// TransactWriteItems and TransactGetItems: what is refused as a request, what is cancelled, and with which reasons.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { P, attribute, index, useThings } from "../lib/suite.js";
import { L, M, N, S, SS } from "../lib/values.js";

const NONE = { Code: "None" };
const FAILED = { Code: "ConditionalCheckFailed", Message: "The conditional request failed" };
const invalidReason = (Message) => ({ Code: "ValidationError", Message });

describe("TransactWriteItems", () => {
  const db = useThings();
  before(() => db.makeTable("Indexed", undefined, { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } }));
  const T = { TableName: "Things" };
  const key = (p) => ({ p: S(p) });
  const Put = (p, attributes = {}, more = {}) => ({ Put: { ...T, Item: { ...key(p), ...attributes }, ...more } });
  const Delete = (p, more = {}) => ({ Delete: { ...T, Key: key(p), ...more } });
  const Update = (p, UpdateExpression, values, more = {}) => ({ Update: { ...T, Key: key(p), UpdateExpression, ...(values && { ExpressionAttributeValues: values }), ...more } });
  const Check = (p, ConditionExpression, more = {}) => ({ ConditionCheck: { ...T, Key: key(p), ConditionExpression, ...more } });
  const write = (TransactItems, more = {}) => db.ask("TransactWriteItems", { TransactItems, ...more });
  const refused = (TransactItems, sentence, more = {}) => db.invalid("TransactWriteItems", { TransactItems, ...more }, sentence);
  async function cancelled(TransactItems, ...reasons) {
    const codes = reasons.map((one) => one.Code).join(", ");
    const error = await db.refuses("TransactWriteItems", { TransactItems }, "TransactionCanceledException", `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`);
    assert.deepEqual(error.CancellationReasons, reasons);
  }

  it("does all four kinds at once", async () => {
    await db.put("gone");
    await db.put("seen", { v: N(1) });
    assert.deepEqual(await write([Put("made", { v: N(1) }), Update("changed", "SET v = :v", { ":v": N(2) }), Delete("gone"), Check("seen", "v = :v", { ExpressionAttributeValues: { ":v": N(1) } })]), {});
    assert.deepEqual(await Promise.all(["made", "changed", "gone", "seen"].map(db.get)), [{ v: N(1) }, { v: N(2) }, undefined, { v: N(1) }]);
  });
  it("takes a hundred", async () => {
    await write(Array.from({ length: 100 }, (_, i) => Put(`h${i}`)));
    assert.deepEqual(await db.get("h99"), {});
  });
  it("judges conditions by what was there before", async () => {
    await db.put("before", { v: N(1) });
    await write([Put("after"), Update("before", "SET v = v + :v", { ":v": N(1) }, { ConditionExpression: "v = :v" })]);
    assert.deepEqual(await db.get("before"), { v: N(2) });
  });

  describe("is cancelled", () => {
    before(() => db.put("there", { v: N(1), s: S("x") }));
    for (const [what, items, reasons] of [
      ["by one condition", [Put("c1"), Put("there", {}, { ConditionExpression: "attribute_not_exists(p)" })], [NONE, FAILED]],
      ["by every condition that fails, and says so of each", [Check("there", "attribute_not_exists(p)"), Put("c1"), Delete("nope", { ConditionExpression: "attribute_exists(p)" }), Update("nope2", "SET v = p", undefined, { ConditionExpression: "attribute_exists(p)" })], [FAILED, NONE, FAILED, FAILED]],
      ["by a condition, showing the item", [Put("there", {}, { ConditionExpression: "v > :v", ExpressionAttributeValues: { ":v": N(5) }, ReturnValuesOnConditionCheckFailure: "ALL_OLD" })], [{ ...FAILED, Item: { p: S("there"), v: N(1), s: S("x") } }]],
      ["by a condition, showing nothing of no item", [Check("nope", "attribute_exists(p)", { ReturnValuesOnConditionCheckFailure: "ALL_OLD" })], [FAILED]],
      ["by a key of another type", [Put("c1"), { Put: { ...T, Item: { p: N(1) } } }], [NONE, invalidReason(`${P}Type mismatch for key p expected: S actual: N`)]],
      ["by a key that is missing", [{ Put: { ...T, Item: { q: N(1) } } }], [invalidReason(`${P}Missing the key p in the item`)]],
      ["by a key with too much", [{ Delete: { ...T, Key: { p: S("a"), q: S("b") } } }], [invalidReason("The provided key element does not match the schema")]],
      ["by an index's key of another type", [{ Put: { TableName: "Indexed", Item: { p: S("a"), g: N(1) } } }], [invalidReason(`${P}Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG`)]],
      ["by a sum of what is no number", [Update("there", "SET s = s + :v", { ":v": N(1) })], [invalidReason("An operand in the update expression has an incorrect data type")]],
      ["by a path that leads nowhere", [Update("there", "SET x.y = :v", { ":v": N(1) })], [invalidReason("The document path provided in the update expression is invalid for update")]],
      ["by an attribute that is not there", [Update("there", "SET x = y")], [invalidReason("The provided expression refers to an attribute that does not exist in the item")]],
      ["by an update of the key", [Update("there", "SET p = :v", { ":v": S("x") })], [invalidReason(`${P}Cannot update attribute p. This attribute is part of the key`)]],
      ["by an update that makes too much", [Update("there", "SET x = :v", { ":v": S("x".repeat(409_600)) })], [invalidReason("Item size to update has exceeded the maximum allowed size")]],
      ["by the first thing that is wrong", [Put("c1"), Update("there", "SET x = y"), { Put: { TableName: "Indexed", Item: { p: S("a"), g: N(1) } } }], undefined],
    ])
      it(what, async () => {
        if (reasons) return cancelled(items, ...reasons);
        const error = await db.refuses("TransactWriteItems", { TransactItems: items }, "TransactionCanceledException");
        assert.equal(error.CancellationReasons.filter((one) => one.Code === "ValidationError").length, 1);
        return undefined;
      });
    it("and has then done nothing", async () => {
      assert.equal(await db.get("c1"), undefined);
      assert.deepEqual(await db.get("there"), { v: N(1), s: S("x") });
    });
  });

  describe("is refused as a request for", () => {
    for (const [what, items, sentence, more] of [
      ["nothing to do", [], "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"],
      ["101 things", Array.from({ length: 101 }, (_, i) => Put(`${i}`)), /at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/],
      ["one item twice", [Put("a"), Delete("a")], "Transaction request cannot include multiple operations on one item"],
      ["one item put and checked", [Put("a"), Check("a", "attribute_exists(p)")], "Transaction request cannot include multiple operations on one item"],
      ["two things in one", [{ ...Put("a"), ...Delete("b") }], "TransactItems can only contain one of Check, Put, Update or Delete"],
      ["a wrong condition", [Put("a", {}, { ConditionExpression: "p =" })], "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\""],
      ["a wrong update", [Update("a", "SET")], "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"SET\""],
      ["a value that is not given", [Update("a", "SET v = :v")], "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :v"],
      ["a value that is not used", [Update("a", "SET v = :v", { ":v": N(1), ":w": N(1) })], "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"],
      ["an empty key", [Put("")], "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"],
      ["an item that is too large", [Put("a", { v: S("x".repeat(409_600)) })], "Item size has exceeded the maximum allowed size"],
      ["more than 4 MB", Array.from({ length: 11 }, (_, i) => Put(`l${i}`, { v: S("x".repeat(400_000)) })), /Transaction payload size cannot exceed 4MB/],
      ["a number that is none", [Put("a", { v: N("x") })], "The parameter cannot be converted to a numeric value: x"],
      ["a check without a condition", [{ ConditionCheck: { ...T, Key: key("a") } }], /^1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null$/],
      ["a bad word for what a condition returns", [Put("a", {}, { ConditionExpression: "attribute_exists(p)", ReturnValuesOnConditionCheckFailure: "SOME" })], /failed to satisfy constraint: Member must satisfy enum value set: \[/],
      ["a token of 37 characters", [Put("a")], /at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36$/, { ClientRequestToken: "x".repeat(37) }],
    ])
      it(what, () => refused(items, sentence, more));
    it("a table that is not there", () =>
      db.refuses("TransactWriteItems", { TransactItems: [Put("a"), { Put: { TableName: "Missing", Item: key("a") } }] }, "ResourceNotFoundException", "Requested resource not found"));
  });

  describe("under a token", () => {
    it("is done once", async () => {
      const once = [Update("counter", "ADD n :n", { ":n": N(1) })];
      await write(once, { ClientRequestToken: "once" });
      await write(once, { ClientRequestToken: "once" });
      assert.deepEqual(await db.get("counter"), { n: N(1) });
    });
    it("is not another", async () => {
      await write([Put("t1")], { ClientRequestToken: "mine" });
      await db.refuses("TransactWriteItems", { TransactItems: [Put("t2")], ClientRequestToken: "mine" }, "IdempotentParameterMismatchException");
      assert.equal(await db.get("t2"), undefined);
    });
    it("may ask for its cost the second time", async () => {
      await write([Put("t3")], { ClientRequestToken: "cost" });
      const { ConsumedCapacity } = await write([Put("t3")], { ClientRequestToken: "cost", ReturnConsumedCapacity: "TOTAL" });
      assert.deepEqual(ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 2, ReadCapacityUnits: 2 }]);
    });
    it("that failed is tried again", async () => {
      await db.refuses("TransactWriteItems", { TransactItems: [Check("t4", "attribute_exists(p)")], ClientRequestToken: "again" }, "TransactionCanceledException");
      await db.put("t4");
      await write([Check("t4", "attribute_exists(p)")], { ClientRequestToken: "again" });
    });
  });
  it("costs twice", async () => {
    const { ConsumedCapacity } = await write([Put("k1", { v: S("x".repeat(1500)) }), Put("k2"), Check("k3", "attribute_not_exists(p)")], { ReturnConsumedCapacity: "TOTAL" });
    assert.deepEqual(ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 8, WriteCapacityUnits: 8 }]);
  });
  it("runs beside others and keeps sums", async () => {
    await db.put("from", { n: N(50) });
    await db.put("to", { n: N(0) });
    const move = () => write([Update("from", "SET n = n - :one", { ":one": N(1) }, { ConditionExpression: "n >= :one" }), Update("to", "SET n = n + :one", { ":one": N(1) })]);
    const ends = await Promise.allSettled(Array.from({ length: 60 }, move));
    const done = ends.filter((one) => one.status === "fulfilled").length;
    assert.deepEqual([await db.get("from"), await db.get("to")], [{ n: N(50 - done) }, { n: N(done) }]);
    for (const one of ends.filter((end) => end.status === "rejected")) assert.equal(one.reason.name, "TransactionCanceledException");
  });
});

describe("TransactGetItems", () => {
  const db = useThings();
  before(async () => {
    await db.put("a", { v: N(1), m: M({ x: L(N(1), N(2)) }) });
    await db.put("b", { v: S("x".repeat(5000)) });
  });
  const Get = (p, more = {}) => ({ Get: { TableName: "Things", Key: { p: S(p) }, ...more } });
  const get = (TransactItems, more = {}) => db.ask("TransactGetItems", { TransactItems, ...more });

  it("answers in the order of the questions", async () => {
    const { Responses } = await get([Get("none"), Get("a", { ProjectionExpression: "m.x[1]" }), Get("b", { ProjectionExpression: "#p", ExpressionAttributeNames: { "#p": "p" } })]);
    assert.deepEqual(Responses, [{}, { Item: { m: M({ x: L(N(2)) }) } }, { Item: { p: S("b") } }]);
  });
  it("answers for a hundred", async () => assert.equal((await get(Array.from({ length: 100 }, (_, i) => Get(`n${i}`)))).Responses.length, 100));
  it("costs twice", async () =>
    assert.deepEqual((await get([Get("a"), Get("b"), Get("none")], { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 8, ReadCapacityUnits: 8 }]));
  for (const [what, items, sentence] of [
    ["nothing", [], "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"],
    ["101 things", Array.from({ length: 101 }, (_, i) => Get(`${i}`)), /at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/],
    ["one item twice", [Get("a"), Get("a")], "Transaction request cannot include multiple operations on one item"],
    ["a wrong projection", [Get("a", { ProjectionExpression: "," })], "Invalid ProjectionExpression: Syntax error; token: \",\", near: \",\""],
    ["an unused name", [Get("a", { ExpressionAttributeNames: { "#v": "v" } })], "ExpressionAttributeNames can only be specified when using expressions"],
  ])
    it(`refuses ${what}`, () => db.invalid("TransactGetItems", { TransactItems: items }, sentence));
  it("does not know other tables", () =>
    db.refuses("TransactGetItems", { TransactItems: [{ Get: { TableName: "Missing", Key: { p: S("a") } } }] }, "ResourceNotFoundException", "Requested resource not found"));
  it("is cancelled by a key that does not fit", async () => {
    const error = await db.refuses("TransactGetItems", { TransactItems: [Get("a"), { Get: { TableName: "Things", Key: { p: N(1) } } }] }, "TransactionCanceledException",
      "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]");
    assert.deepEqual(error.CancellationReasons, [NONE, invalidReason("The provided key element does not match the schema")]);
  });
});

describe("a batch", () => {
  const db = useThings();
  const key = (p) => ({ p: S(p) });
  const put = (p, more = {}) => ({ PutRequest: { Item: { ...key(p), ...more } } });
  const write = (Things) => ({ RequestItems: { Things } });

  for (const [what, requests, sentence] of [
    ["a key twice, put", [put("a"), put("a")], "Provided list of item keys contains duplicates"],
    ["a key that is missing", [put("a"), { PutRequest: { Item: { q: S("x") } } }], `${P}Missing the key p in the item`],
    ["a key of another type", [{ DeleteRequest: { Key: { p: N(1) } } }], "The provided key element does not match the schema"],
    ["an item that is too large", [put("a", { v: S("x".repeat(409_600)) })], "Item size has exceeded the maximum allowed size"],
    ["an empty set", [put("a", { v: SS() })], `${P}An string set  may not be empty`],
    ["no requests", [], /at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 25, Member must have length greater than or equal to 1\]$|requestItems\.Things/],
    ["an empty request", [{}], "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"],
    ["a put and a delete in one", [{ ...put("a"), DeleteRequest: { Key: key("b") } }], "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"],
  ])
    it(`of writes has not ${what}`, () => db.invalid("BatchWriteItem", write(requests), sentence));
  it("of numbers has no key twice, however written", async () => {
    await db.ask("CreateTable", { TableName: "Numbers", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p", "N")], KeySchema: [{ AttributeName: "p", KeyType: "HASH" }] });
    await db.invalid("BatchWriteItem", { RequestItems: { Numbers: [{ PutRequest: { Item: { p: N("1.0") } } }, { DeleteRequest: { Key: { p: N("1") } } }] } }, "Provided list of item keys contains duplicates");
  });
  it("of writes counts what it cost", async () => {
    const said = await db.ask("BatchWriteItem", { ...write([put("x", { v: S("x".repeat(2000)) }), put("y")]), ReturnConsumedCapacity: "TOTAL" });
    assert.deepEqual(said.ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 3 }]);
  });
  it("of reads gives no more than 16 MB, and says what is left", async () => {
    for (let i = 0; i < 50; i++) await db.put(`big${i}`, { v: S("x".repeat(400_000)) });
    let left = { Things: { Keys: Array.from({ length: 50 }, (_, i) => key(`big${i}`)), ProjectionExpression: "#p, v", ExpressionAttributeNames: { "#p": "p" } } };
    const found = [];
    let rounds = 0;
    while (Object.keys(left).length > 0 && rounds++ < 60) {
      const said = await db.ask("BatchGetItem", { RequestItems: left });
      found.push(...said.Responses.Things);
      left = said.UnprocessedKeys;
      if (left.Things) assert.equal(left.Things.ProjectionExpression, "#p, v");
    }
    assert.ok(rounds > 1, "all came at once");
    assert.equal(new Set(found.map((one) => one.p.S)).size, 50);
    assert.equal(found.length, 50);
  });
  it("of reads may have no keys of a table", () => db.invalid("BatchGetItem", { RequestItems: { Things: { Keys: [] } } }, /failed to satisfy constraint: Member must have length greater than or equal to 1$/));
  it("of reads in the old way gets attributes by name", async () => {
    await db.put("old", { a: N(1), b: N(2) });
    assert.deepEqual((await db.ask("BatchGetItem", { RequestItems: { Things: { Keys: [key("old")], AttributesToGet: ["a"] } } })).Responses, { Things: [{ a: N(1) }] });
  });
});
