// SPDX-License-Identifier: MIT
// Keys of tables and of indexes: their types, their sizes, and who says so.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, P, RANGE, attribute, index, useServer } from "../lib/suite.js";
import { B, BOOL, L, N, NULL, S, SS } from "../lib/values.js";

const HASH_LONG = `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`;
const RANGE_LONG = `${P}Aggregated size of all range keys has exceeded the size limit of 1024 bytes`;
const empty = (what, key) => `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${what} value. Key: ${key}`;
const type = (key, wanted, given) => `${P}Type mismatch for key ${key} expected: ${wanted} actual: ${given}`;
const MISMATCH = "The provided key element does not match the schema";
const EXAMPLES = { S: S("x"), N: N(1), B: B([1]), BOOL: BOOL(true), NULL, L: L(), SS: SS("x") };

describe("a key", () => {
  const db = useServer();
  before(async () => {
    for (const hash of ["S", "N", "B"])
      await db.ask("CreateTable", {
        TableName: `Of${hash}`, BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("p"), RANGE("s")],
        AttributeDefinitions: [attribute("p", hash), attribute("s", hash), attribute("g"), attribute("h"), attribute("i", "N"), attribute("l", "B")],
        GlobalSecondaryIndexes: [index("ByG", "g", "h"), index("AlsoByG", "g"), index("ByI", "i")],
        LocalSecondaryIndexes: [index("ByL", "p", "l")],
      });
  });
  const put = (table, item) => db.ask("PutItem", { TableName: table, Item: item });
  const refused = (table, item, sentence) => db.invalid("PutItem", { TableName: table, Item: item }, sentence);
  const update = (UpdateExpression, values) => ({ TableName: "OfS", Key: { p: S("u"), s: S("u") }, UpdateExpression, ExpressionAttributeValues: values });

  for (const hash of ["S", "N", "B"]) {
    it(`of type ${hash} is found again`, async () => {
      const Item = { p: EXAMPLES[hash], s: EXAMPLES[hash], v: S("v") };
      await put(`Of${hash}`, Item);
      const { Item: found } = await db.ask("GetItem", { TableName: `Of${hash}`, Key: { p: Item.p, s: Item.s } });
      assert.deepEqual(found, Item);
    });
    for (const other of Object.keys(EXAMPLES).filter((one) => one !== hash)) {
      it(`of type ${hash} is never of type ${other}`, () => refused(`Of${hash}`, { p: EXAMPLES[other], s: EXAMPLES[hash] }, type("p", hash, other)));
    }
    it(`of type ${hash} is never null to sort by`, () => refused(`Of${hash}`, { p: EXAMPLES[hash], s: NULL }, type("s", hash, "NULL")));
    it(`of type ${hash} is asked for with its type`, () => db.invalid("GetItem", { TableName: `Of${hash}`, Key: { p: EXAMPLES[hash], s: BOOL(true) } }, MISMATCH));
  }

  for (const [what, item, sentence] of [
    ["has a partition part", { s: S("x") }, `${P}Missing the key p in the item`],
    ["has a partition part, whatever the sort part is", { s: N(1) }, `${P}Missing the key p in the item`],
    ["has a sort part", { p: S("x") }, `${P}Missing the key s in the item`],
    ["is no empty string", { p: S(""), s: S("x") }, empty("string", "p")],
    ["does not sort by an empty string", { p: S("x"), s: S("") }, empty("string", "s")],
    ["has at most 2048 bytes to part by", { p: S("x".repeat(2049)), s: S("x") }, HASH_LONG],
    ["has at most 1024 bytes to sort by", { p: S("x"), s: S("x".repeat(1025)) }, RANGE_LONG],
    ["is counted in bytes", { p: S("é".repeat(1025)), s: S("x") }, HASH_LONG],
  ])
    it(what, () => refused("OfS", item, sentence));
  it("of bytes is not empty", () => refused("OfB", { p: B([]), s: B([1]) }, empty("binary", "p")));
  it("of bytes has at most 2048 of them", () => refused("OfB", { p: B(new Array(2049).fill(7)), s: B([1]) }, HASH_LONG));
  it("may be as long as can be", async () => {
    const Key = { p: S("é".repeat(1024)), s: S("x".repeat(1024)) };
    await put("OfS", { ...Key, v: N(1) });
    assert.deepEqual((await db.ask("GetItem", { TableName: "OfS", Key })).Item, { ...Key, v: N(1) });
  });
  it("is told from another by its last byte", async () => {
    for (const last of ["a", "b"]) await put("OfS", { p: S("x".repeat(2047) + last), s: S("y".repeat(1023) + last), v: S(last) });
    for (const last of ["a", "b"])
      assert.deepEqual((await db.ask("GetItem", { TableName: "OfS", Key: { p: S("x".repeat(2047) + last), s: S("y".repeat(1023) + last) } })).Item.v, S(last));
  });
  it("that is a number is one number in all spellings", async () => {
    await put("OfN", { p: N("1e2"), s: N("0.50"), v: S("first") });
    await put("OfN", { p: N("100.0"), s: N("5E-1"), v: S("second") });
    const { Items } = await db.ask("Query", { TableName: "OfN", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": N(100) } });
    assert.deepEqual(Items, [{ p: N(100), s: N("0.5"), v: S("second") }]);
  });
  it("with zero bytes and any Unicode is a key", async () => {
    const Key = { p: S("a\u0000b\u{10FFFF}"), s: S("\u0000") };
    await put("OfS", Key);
    assert.deepEqual((await db.ask("GetItem", { TableName: "OfS", Key })).Item, Key);
  });

  describe("of an index", () => {
    const Key = { p: S("x"), s: S("x") };
    const indexType = (key, wanted, given, name) => `${P}Type mismatch for Index Key ${key} Expected: ${wanted} Actual: ${given} IndexName: ${name}`;
    const indexEmpty = (what, name, key) =>
      `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${what} value. IndexName: ${name}, IndexKey: ${key}`;
    for (const [what, more, sentence] of [
      ["has its type; the first index by name says so", { g: N(1) }, indexType("g", "S", "N", "AlsoByG")],
      ["has its type in its sort part", { g: S("x"), h: N(1) }, indexType("h", "S", "N", "ByG")],
      ["has its type even when its other part is missing", { h: N(1) }, indexType("h", "S", "N", "ByG")],
      ["is no null", { g: NULL }, indexType("g", "S", "NULL", "AlsoByG")],
      ["that is a number is no string", { i: S("1") }, indexType("i", "N", "S", "ByI")],
      ["that is local has its type", { l: S("x") }, indexType("l", "B", "S", "ByL")],
      ["is not empty", { g: S("") }, indexEmpty("string", "AlsoByG", "g")],
      ["is not empty in its sort part", { g: S("x"), h: S("") }, indexEmpty("string", "ByG", "h")],
      ["that is local is not empty", { l: B([]) }, indexEmpty("binary", "ByL", "l")],
      ["has at most 2048 bytes", { g: S("x".repeat(2049)) }, /^One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of ?2048 bytes/],
      ["has at most 1024 bytes to sort by", { g: S("x"), h: S("x".repeat(1025)) }, RANGE_LONG],
    ])
      it(what, () => refused("OfS", { ...Key, ...more }, sentence));

    it("may be missing", async () => {
      await put("OfS", { p: S("sparse"), s: S("x"), v: S("v") });
      for (const IndexName of ["ByG", "AlsoByG", "ByI", "ByL"]) {
        const { Items } = await db.ask("Scan", { TableName: "OfS", IndexName });
        assert.ok(Items.every((one) => one.p.S !== "sparse"), IndexName);
      }
    });
    it("may be missing in part", async () => {
      await put("OfS", { p: S("half"), s: S("x"), g: S("only g") });
      const count = async (IndexName) => (await db.ask("Query", { TableName: "OfS", IndexName, KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": S("only g") } })).Count;
      assert.equal(await count("ByG"), 0);
      assert.equal(await count("AlsoByG"), 1);
    });
    it("is not set to another type", () => db.invalid("UpdateItem", update("SET g = :v", { ":v": N(1) }), indexType("g", "S", "N", "AlsoByG")));
    it("is not copied from another type", async () => {
      await put("OfS", { p: S("u"), s: S("u"), n: N(1) });
      await db.invalid("UpdateItem", update("SET g = n"), "The update expression attempted to update the secondary index key to unsupported type");
    });
    it("is not copied from an empty string", async () => {
      await put("OfS", { p: S("u"), s: S("u"), e: S("") });
      await db.invalid("UpdateItem", update("SET g = e"),
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.");
    });
    it("is not copied from a string that is too long", async () => {
      await put("OfS", { p: S("u"), s: S("u"), e: S("x".repeat(2049)) });
      await db.invalid("UpdateItem", update("SET g = e"), "The update expression attempted to update the secondary index key beyond allowed size limits");
    });
    it("has nothing in it", () =>
      db.invalid("UpdateItem", update("SET g.x = :v", { ":v": S("x") }), "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g"));
    it("takes its item along when it changes", async () => {
      const count = async (g) => (await db.ask("Query", { TableName: "OfS", IndexName: "AlsoByG", KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": S(g) } })).Count;
      await put("OfS", { p: S("u"), s: S("u"), g: S("here") });
      await db.ask("UpdateItem", update("SET g = :v", { ":v": S("there") }));
      assert.deepEqual([await count("here"), await count("there")], [0, 1]);
      await db.ask("UpdateItem", update("SET g = :v", { ":v": S("there") }));
      assert.equal(await count("there"), 1);
      await db.ask("UpdateItem", update("REMOVE g"));
      assert.equal(await count("there"), 0);
    });
  });

  describe("has nothing in it that", () => {
    const nothingIn = (what) => `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${what}`;
    const TableName = "OfS", Key = { p: S("u"), s: S("u") };
    const query = { TableName, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("u") } };
    for (const [what, call, input, sentence] of [
      ["a get projects", "GetItem", { TableName, Key, ProjectionExpression: "v, p.x" }, nothingIn("Key: p")],
      ["a get projects by number", "GetItem", { TableName, Key, ProjectionExpression: "s[0]" }, nothingIn("Key: s")],
      ["a get projects, of an index", "GetItem", { TableName, Key, ProjectionExpression: "g.x" }, nothingIn("IndexKey: g")],
      ["a get projects by another name", "GetItem", { TableName, Key, ProjectionExpression: "#k.x", ExpressionAttributeNames: { "#k": "l" } }, nothingIn("IndexKey: l")],
      ["a get projects, and its key is wrong", "GetItem", { TableName, Key: { p: S("u") }, ProjectionExpression: "p.x" }, MISMATCH],
      ["a batch projects", "BatchGetItem", { RequestItems: { OfS: { Keys: [Key], ProjectionExpression: "p.x" } } }, nothingIn("Key: p")],
      ["a query projects", "Query", { ...query, ProjectionExpression: "p.x" }, nothingIn("Key: p")],
      ["a query filters by", "Query", { ...query, FilterExpression: "attribute_exists(g.x)" }, nothingIn("IndexKey: g")],
      ["a query of an index filters by", "Query", { ...query, IndexName: "ByL", FilterExpression: "s.x <> :p" }, nothingIn("Key: s")],
      ["a query filters by, of its own key", "Query", { ...query, FilterExpression: "s.x <> :p" }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: s"],
      ["a scan projects", "Scan", { TableName, ProjectionExpression: "i[1]" }, nothingIn("IndexKey: i")],
      ["a scan filters by", "Scan", { TableName, FilterExpression: "attribute_not_exists(p.x)" }, nothingIn("Key: p")],
    ])
      it(what, () => db.invalid(call, input, sentence));
  });

  describe("is not updated", () => {
    for (const [what, expression, values, sentence] of [
      ["by SET", "SET p = :v", { ":v": S("x") }, `${P}Cannot update attribute p. This attribute is part of the key`],
      ["by SET to what it is", "SET s = :v", { ":v": S("u") }, `${P}Cannot update attribute s. This attribute is part of the key`],
      ["by REMOVE", "REMOVE s", undefined, `${P}Cannot update attribute s. This attribute is part of the key`],
      ["by ADD", "ADD p :v", { ":v": N(1) }, `${P}Cannot update attribute p. This attribute is part of the key`],
      ["by DELETE", "DELETE p :v", { ":v": SS("x") }, `${P}Cannot update attribute p. This attribute is part of the key`],
      ["below", "REMOVE p[0]", undefined, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p"],
    ])
      it(what, () => db.invalid("UpdateItem", update(expression, values), sentence));
    it("the old way", () =>
      db.invalid("UpdateItem", { TableName: "OfS", Key: { p: S("u"), s: S("u") }, AttributeUpdates: { p: { Value: S("x") } } }, `${P}Cannot update attribute p. This attribute is part of the key`));
  });
});
