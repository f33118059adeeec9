// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { P, arn, useServer } from "../lib/suite.js";
import { B, L, M, N, S } from "../lib/values.js";

const MISMATCH = "The provided key element does not match the schema";

describe("GetItem", () => {
  const db = useServer();
  const ITEM = { p: S("a"), s: N(1), v: N(7), m: M({ x: L(N(1), N(2), N(3)), y: M({ z: S("deep") }) }), "dotted.name": S("d") };
  const get = (more) => db.ask("GetItem", { TableName: "Pairs", Key: { p: S("a"), s: N(1) }, ...more });
  const fails = (more, sentence) => db.invalid("GetItem", { TableName: "Pairs", Key: { p: S("a"), s: N(1) }, ...more }, sentence);

  before(async () => {
    await db.makeTable("Pairs", "N", {
      attributes: [{ AttributeName: "g", AttributeType: "S" }],
      input: { GlobalSecondaryIndexes: [{ IndexName: "ByG", KeySchema: [{ AttributeName: "g", KeyType: "HASH" }], Projection: { ProjectionType: "ALL" } }] },
    });
    await db.makeTable("Single");
    await db.ask("PutItem", { TableName: "Pairs", Item: ITEM });
  });

  it("gives the whole item", async () => assert.deepEqual(await get(), { Item: ITEM }));
  it("gives the same in a strong read", async () => assert.deepEqual(await get({ ConsistentRead: true }), { Item: ITEM }));
  it("gives nothing where nothing is", async () => assert.deepEqual(await get({ Key: { p: S("a"), s: N(2) } }), {}));
  it("finds a number however it is written", async () => assert.deepEqual((await get({ Key: { p: S("a"), s: N("10e-1") } })).Item, ITEM));
  it("takes an ARN for the table's name", async () => assert.deepEqual(await get({ TableName: arn("Pairs") }), { Item: ITEM }));
  it("names the table by the ARN that it was asked by", async () =>
    assert.equal((await get({ TableName: arn("Pairs"), ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.TableName, arn("Pairs")));

  for (const [what, more, Item] of [
    ["one attribute", { ProjectionExpression: "v" }, { v: N(7) }],
    ["the key only when asked for it", { ProjectionExpression: "p, v" }, { p: S("a"), v: N(7) }],
    ["a member of a map", { ProjectionExpression: "m.y.z" }, { m: M({ y: M({ z: S("deep") }) }) }],
    ["elements of a list, moved together", { ProjectionExpression: "m.x[2], m.x[0]" }, { m: M({ x: L(N(1), N(3)) }) }],
    ["nothing of an item that has none of it", { ProjectionExpression: "nope, m.nope, m.x[9], v.w" }, {}],
    ["what is there of what is asked", { ProjectionExpression: "nope, v" }, { v: N(7) }],
    ["an attribute with a dot in its name", { ProjectionExpression: "#d", ExpressionAttributeNames: { "#d": "dotted.name" } }, { "dotted.name": S("d") }],
    ["two members of one map", { ProjectionExpression: "m.x[1], m.y" }, { m: M({ x: L(N(2)), y: M({ z: S("deep") }) }) }],
    ["the old way: one attribute", { AttributesToGet: ["v"] }, { v: N(7) }],
    ["the old way: a dot is part of the name", { AttributesToGet: ["dotted.name", "m.y"] }, { "dotted.name": S("d") }],
    ["the old way: nothing", { AttributesToGet: ["nope"] }, {}],
  ])
    it(`projects ${what}`, async () => assert.deepEqual(await get(more), { Item }));

  for (const [what, more, sentence] of [
    ["a key with half missing", { Key: { p: S("a") } }, MISMATCH],
    ["a key without the partition key", { Key: { s: N(1) } }, MISMATCH],
    ["a key with an attribute too many", { Key: { p: S("a"), s: N(1), v: N(1) } }, MISMATCH],
    ["a key with another name", { Key: { p: S("a"), z: N(1) } }, MISMATCH],
    ["an empty key", { Key: {} }, MISMATCH],
    ["a partition key of another type", { Key: { p: N(1), s: N(1) } }, MISMATCH],
    ["a sort key of another type", { Key: { p: S("a"), s: S("1") } }, MISMATCH],
    ["a key that is a list", { Key: { p: L(), s: N(1) } }, MISMATCH],
    ["a partition key that is empty", { Key: { p: S(""), s: N(1) } }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"],
    ["a partition key of 2049 bytes", { Key: { p: S("x".repeat(2049)), s: N(1) } }, `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`],
    ["a key that is no number", { Key: { p: S("a"), s: N("one") } }, "The parameter cannot be converted to a numeric value: one"],
    ["one attribute twice", { AttributesToGet: ["v", "v"] }, `${P}Duplicate value in attribute name: v`],
    ["no attributes at all", { AttributesToGet: [] }, /^1 validation error detected: Value '\[\]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
    ["old and new together", { AttributesToGet: ["v"], ProjectionExpression: "v" }, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"],
    ["names without a projection", { ExpressionAttributeNames: { "#v": "v" } }, "ExpressionAttributeNames can only be specified when using expressions"],
    ["a bad word for capacity", { ReturnConsumedCapacity: "SOME" }, "1 validation error detected: Value 'SOME' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"],
  ])
    it(`refuses ${what}`, () => fails(more, sentence));
  it("does not know other tables", () =>
    db.refuses("GetItem", { TableName: "Missing", Key: { p: S("a") } }, "ResourceNotFoundException", "Requested resource not found"));
  it("a missing table comes before a wrong key", () =>
    db.refuses("GetItem", { TableName: "Missing", Key: {} }, "ResourceNotFoundException", "Requested resource not found"));
  it("a bad projection comes before a missing table", () =>
    db.invalid("GetItem", { TableName: "Missing", Key: { p: S("a") }, ProjectionExpression: "" }, "Invalid ProjectionExpression: The expression can not be empty;"));

  describe("with what it consumed", () => {
    before(async () => {
      for (const [p, bytes] of [["small", 10], ["four", 4096], ["more", 4097], ["huge", 400000]])
        await db.ask("PutItem", { TableName: "Single", Item: { p: S(p), v: S("x".repeat(bytes - 2 - p.length)) } });
    });
    for (const [p, units] of [["none", 1], ["small", 1], ["four", 1], ["more", 2], ["huge", 98]])
      it(`counts ${units} for ${p}, strongly, and half of it eventually`, async () => {
        const capacity = async (ConsistentRead) =>
          (await db.ask("GetItem", { TableName: "Single", Key: { p: S(p) }, ConsistentRead, ProjectionExpression: "p", ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity;
        assert.deepEqual(await capacity(true), { TableName: "Single", CapacityUnits: units });
        assert.deepEqual(await capacity(false), { TableName: "Single", CapacityUnits: units / 2 });
      });
    it("tells the table's part when indexes are asked for", async () =>
      assert.deepEqual((await get({ ReturnConsumedCapacity: "INDEXES" })).ConsumedCapacity, { TableName: "Pairs", CapacityUnits: 0.5, Table: { CapacityUnits: 0.5 } }));
    it("tells nothing unasked", async () => assert.equal((await get({ ReturnConsumedCapacity: "NONE" })).ConsumedCapacity, undefined));
  });
});
