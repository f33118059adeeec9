// SPDX-License-Identifier: MIT
// What each operation says that it consumed.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { arn, attribute, index, KEYS_ONLY, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

const text = (bytes) => S("x".repeat(bytes));

/** An item `p` of exactly this many bytes. */
const sized = (p, bytes) => ({ p: S(p), v: text(bytes - 1 - p.length - 1) });

describe("ConsumedCapacity", () => {
  const db = useServer();
  const total = async (call, input) => (await db.ask(call, { ReturnConsumedCapacity: "TOTAL", ...input })).ConsumedCapacity;
  const units = async (call, input) => (await total(call, { TableName: "Things", ...input })).CapacityUnits;
  const parts = async (call, input) => (await db.ask(call, { ReturnConsumedCapacity: "INDEXES", ...input })).ConsumedCapacity;
  const put = (Item, more = {}) => units("PutItem", { Item, ...more });
  const Key = (p) => ({ p: S(p) });

  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Pairs", "N");
    await db.makeTable("Indexed", "N", {
      attributes: [attribute("g"), attribute("l", "N")],
      input: {
        GlobalSecondaryIndexes: [index("All", "g"), index("Keys", "g", "l", KEYS_ONLY)],
        LocalSecondaryIndexes: [index("Local", "p", "l", { ProjectionType: "INCLUDE", NonKeyAttributes: ["v"] })],
      },
    });
  });

  describe("of PutItem, in units of 1 KB of the larger item:", () => {
    for (const [old, fresh, wanted] of [
      [0, 10, 1], [0, 1024, 1], [0, 1025, 2], [0, 2048, 2], [0, 2049, 3], [0, 409600, 400], [10, 10, 1], [3000, 10, 3], [10, 3000, 3], [3000, 3000, 3], [1024, 1025, 2], [409600, 10, 400],
    ])
      it(`${old} bytes before, ${fresh} after, make ${wanted}`, async () => {
        const p = `put ${old} ${fresh}`.padEnd(8);
        if (old) await put(sized(p, Math.max(old, 40)));
        assert.equal(await put(sized(p, Math.max(fresh, 40))), wanted);
      });
  });
  describe("of GetItem, in units of 4 KB:", () => {
    for (const [bytes, wanted] of [[40, 1], [4096, 1], [4097, 2], [8192, 2], [8193, 3], [409600, 100]])
      it(`${bytes} bytes make ${wanted}, half of it eventually`, async () => {
        const p = `get ${bytes}`;
        await put(sized(p, bytes));
        assert.equal(await units("GetItem", { Key: Key(p), ConsistentRead: true }), wanted);
        assert.equal(await units("GetItem", { Key: Key(p) }), wanted / 2);
        assert.equal(await units("GetItem", { Key: Key(p), ConsistentRead: true, ProjectionExpression: "p" }), wanted);
      });
    it("nothing makes 1, half of it eventually", async () => {
      assert.equal(await units("GetItem", { Key: Key("none"), ConsistentRead: true }), 1);
      assert.equal(await units("GetItem", { Key: Key("none") }), 0.5);
    });
  });
  describe("of DeleteItem, in units of 1 KB:", () => {
    for (const [bytes, wanted] of [[0, 1], [40, 1], [1024, 1], [1025, 2], [5000, 5]])
      it(`${bytes} bytes make ${wanted}`, async () => {
        const p = `delete ${bytes}`;
        if (bytes) await put(sized(p, bytes));
        assert.equal(await units("DeleteItem", { Key: Key(p) }), wanted);
      });
  });
  describe("of UpdateItem, in units of 1 KB of the larger item:", () => {
    const update = (p, bytes) => units("UpdateItem", { Key: Key(p), UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": text(bytes) } });
    for (const [old, fresh, wanted] of [[0, 10, 1], [0, 1500, 2], [3000, 10, 3], [10, 3000, 3], [2500, 2500, 3]])
      it(`${old} bytes before, ${fresh} after, make ${wanted}`, async () => {
        const p = `u ${old} ${fresh}`;
        if (old) await put({ p: S(p), v: text(old) });
        assert.equal(await update(p, fresh), wanted);
      });
    it("nothing changed costs what is there", async () => {
      await put({ p: S("same"), v: text(2500) });
      assert.equal(await units("UpdateItem", { Key: Key("same"), UpdateExpression: "REMOVE nothing" }), 3);
    });
    it("nothing removed from nothing costs 1", async () => assert.equal(await units("UpdateItem", { Key: Key("no such"), UpdateExpression: "REMOVE nothing" }), 1));
  });
  it("of a write does not grow with what it returns", async () => {
    await put(sized("returns", 2000));
    assert.equal(await put(sized("returns", 2000), { ReturnValues: "ALL_OLD" }), 2);
  });

  describe("of Query, the sum of all items read, rounded once:", () => {
    before(async () => {
      for (let s = 0; s < 12; s++) await db.ask("PutItem", { TableName: "Pairs", Item: { p: S("a"), s: N(s), v: text(1000 - 3) } });
    });
    const query = (more = {}) => units("Query", { TableName: "Pairs", KeyConditionExpression: "p = :p", ...more, ExpressionAttributeValues: { ":p": S("a"), ...more.ExpressionAttributeValues } });
    for (const [what, more, strong] of [
      ["everything", {}, 3],
      ["four items", { Limit: 4 }, 1],
      ["five items", { Limit: 5 }, 2],
      ["one item", { Limit: 1 }, 1],
      ["what a filter drops", { FilterExpression: "v = :n", ExpressionAttributeValues: { ":n": N(1) } }, 3],
      ["what a projection leaves out", { ProjectionExpression: "s" }, 3],
      ["what is only counted", { Select: "COUNT" }, 3],
      ["a range", { KeyConditionExpression: "p = :p AND s < :n", ExpressionAttributeValues: { ":n": N(5) } }, 2],
      ["nothing", { KeyConditionExpression: "p = :p AND s > :n", ExpressionAttributeValues: { ":n": N(50) } }, 1],
    ])
      it(`${what} makes ${strong}, half of it eventually`, async () => {
        assert.equal(await query({ ...more, ConsistentRead: true }), strong);
        assert.equal(await query(more), strong / 2);
      });
    it("a scan makes as much", async () => {
      assert.equal(await units("Scan", { TableName: "Pairs", ConsistentRead: true }), 3);
      assert.equal(await units("Scan", { TableName: "Pairs" }), 1.5);
      assert.equal(await units("Scan", { TableName: "Pairs", Limit: 5, FilterExpression: "attribute_not_exists(v)" }), 1);
    });
  });

  describe("with its indexes:", () => {
    const write = (attributes) => parts("PutItem", { TableName: "Indexed", Item: { p: S("i"), s: N(1), ...attributes } });
    const remove = () => parts("DeleteItem", { TableName: "Indexed", Key: { p: S("i"), s: N(1) } });
    const one = { CapacityUnits: 1 }, two = { CapacityUnits: 2 };
    it("an item of no index costs the table", async () => {
      await remove();
      assert.deepEqual(await write({}), { TableName: "Indexed", CapacityUnits: 1, Table: one });
    });
    it("an item of one index costs both", async () => {
      await remove();
      assert.deepEqual(await write({ g: S("x") }), { TableName: "Indexed", CapacityUnits: 2, Table: one, GlobalSecondaryIndexes: { All: one } });
    });
    it("an item of all costs all", async () => {
      await remove();
      assert.deepEqual(await write({ g: S("x"), l: N(1) }),
        { TableName: "Indexed", CapacityUnits: 4, Table: one, GlobalSecondaryIndexes: { All: one, Keys: one }, LocalSecondaryIndexes: { Local: one } });
    });
    it("a key that changes costs its entries twice", async () => {
      await remove();
      await write({ g: S("x"), l: N(1) });
      assert.deepEqual(await write({ g: S("y"), l: N(1) }),
        { TableName: "Indexed", CapacityUnits: 5, Table: one, GlobalSecondaryIndexes: { All: two, Keys: two } });
    });
    it("what is projected costs once, what is not costs nothing", async () => {
      await remove();
      await write({ g: S("x"), l: N(1), w: N(1) });
      assert.deepEqual(await write({ g: S("x"), l: N(1), w: N(2) }), { TableName: "Indexed", CapacityUnits: 2, Table: one, GlobalSecondaryIndexes: { All: one } });
      assert.deepEqual(await write({ g: S("x"), l: N(1), w: N(2), v: N(1) }),
        { TableName: "Indexed", CapacityUnits: 3, Table: one, GlobalSecondaryIndexes: { All: one }, LocalSecondaryIndexes: { Local: one } });
    });
    it("what does not change costs no index", async () => {
      await remove();
      await write({ g: S("x"), l: N(1) });
      assert.deepEqual(await write({ g: S("x"), l: N("1.0") }), { TableName: "Indexed", CapacityUnits: 1, Table: one });
    });
    it("an entry that goes costs once", async () => {
      await remove();
      await write({ g: S("x"), l: N(1) });
      assert.deepEqual(await remove(), { TableName: "Indexed", CapacityUnits: 4, Table: one, GlobalSecondaryIndexes: { All: one, Keys: one }, LocalSecondaryIndexes: { Local: one } });
    });
    it("an entry counts by its own size", async () => {
      await remove();
      assert.deepEqual(await write({ g: S("x"), l: N(1), big: text(2000) }),
        { TableName: "Indexed", CapacityUnits: 6, Table: two, GlobalSecondaryIndexes: { All: two, Keys: one }, LocalSecondaryIndexes: { Local: one } });
    });
    it("a query of a global index costs the index", async () => {
      await write({ g: S("q"), l: N(1) });
      assert.deepEqual(await parts("Query", { TableName: "Indexed", IndexName: "Keys", KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": S("q") } }),
        { TableName: "Indexed", CapacityUnits: 0.5, Table: { CapacityUnits: 0 }, GlobalSecondaryIndexes: { Keys: { CapacityUnits: 0.5 } } });
    });
    for (const [what, more, wanted] of [
      ["what it holds", {}, { CapacityUnits: 1, Table: { CapacityUnits: 0 }, LocalSecondaryIndexes: { Local: one } }],
      ["what it fetches", { Select: "ALL_ATTRIBUTES" }, { CapacityUnits: 2, Table: one, LocalSecondaryIndexes: { Local: one } }],
      ["one attribute that it fetches", { ProjectionExpression: "g" }, { CapacityUnits: 2, Table: one, LocalSecondaryIndexes: { Local: one } }],
    ])
      it(`a query of a local index costs ${what}`, async () => {
        await write({ g: S("q"), l: N(1) });
        assert.deepEqual(await parts("Query", { TableName: "Indexed", IndexName: "Local", ConsistentRead: true, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("i") }, ...more }),
          { TableName: "Indexed", ...wanted });
      });
  });

  describe("of batches:", () => {
    it("reads are rounded one by one", async () => {
      await put(sized("b1", 4097));
      await put(sized("b2", 40));
      const Keys = ["b1", "b2", "none"].map(Key);
      assert.deepEqual(await total("BatchGetItem", { RequestItems: { Things: { Keys } } }), [{ TableName: "Things", CapacityUnits: 2 }]);
      assert.deepEqual(await total("BatchGetItem", { RequestItems: { Things: { Keys, ConsistentRead: true } } }), [{ TableName: "Things", CapacityUnits: 4 }]);
    });
    it("writes are rounded one by one", async () => {
      await db.ask("DeleteItem", { TableName: "Things", Key: Key("w1") });
      assert.deepEqual(await total("BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: sized("w1", 1025) } }, { PutRequest: { Item: sized("w2", 40) } }, { DeleteRequest: { Key: Key("none") } }] } }),
        [{ TableName: "Things", CapacityUnits: 4 }]);
    });
    it("tables count for themselves", async () => {
      const said = await parts("BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: sized("w3", 40) } }], Indexed: [{ PutRequest: { Item: { p: S("w"), s: N(1), g: S("w") } } }] } });
      assert.deepEqual(said.sort((a, b) => (a.TableName < b.TableName ? -1 : 1)), [
        { TableName: "Indexed", CapacityUnits: 2, Table: { CapacityUnits: 1 }, GlobalSecondaryIndexes: { All: { CapacityUnits: 1 } } },
        { TableName: "Things", CapacityUnits: 1, Table: { CapacityUnits: 1 } },
      ]);
    });
  });

  describe("of transactions, twice:", () => {
    const write = (TransactItems, more = {}) => total("TransactWriteItems", { TransactItems, ...more });
    for (const [what, action, wanted] of [
      ["a put of 40 bytes", { Put: { TableName: "Things", Item: sized("t1", 40) } }, 2],
      ["a put of 1025 bytes", { Put: { TableName: "Things", Item: sized("t2", 1025) } }, 4],
      ["a delete of nothing", { Delete: { TableName: "Things", Key: Key("t-none") } }, 2],
      ["an update that makes an item", { Update: { TableName: "Things", Key: Key("t3"), UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": text(1500) } } }, 4],
      ["a check of nothing", { ConditionCheck: { TableName: "Things", Key: Key("t-none"), ConditionExpression: "attribute_not_exists(p)" } }, 2],
    ])
      it(`${what} makes ${wanted}`, async () => assert.deepEqual(await write([action]), [{ TableName: "Things", CapacityUnits: wanted, WriteCapacityUnits: wanted }]));
    it("the second time under one token it counts as reading", async () => {
      const items = [{ Put: { TableName: "Things", Item: sized("t4", 40) } }];
      await write(items, { ClientRequestToken: "capacity" });
      assert.deepEqual(await write(items, { ClientRequestToken: "capacity" }), [{ TableName: "Things", CapacityUnits: 2, ReadCapacityUnits: 2 }]);
    });
    it("reads are in units of 4 KB", async () => {
      await put(sized("t5", 4097));
      assert.deepEqual(await total("TransactGetItems", { TransactItems: ["t5", "t-none"].map((p) => ({ Get: { TableName: "Things", Key: Key(p) } })) }),
        [{ TableName: "Things", CapacityUnits: 6, ReadCapacityUnits: 6 }]);
    });
  });

  it("names the table as it was named", async () => assert.equal((await total("PutItem", { TableName: arn("Things"), Item: sized("arn", 40) })).TableName, arn("Things")));
  for (const [call, input] of [
    ["PutItem", { TableName: "Things", Item: sized("quiet", 40) }],
    ["UpdateItem", { TableName: "Things", Key: Key("quiet") }],
    ["Query", { TableName: "Things", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("quiet") } }],
    ["Scan", { TableName: "Pairs" }],
    ["BatchGetItem", { RequestItems: { Things: { Keys: [Key("quiet")] } } }],
    ["TransactGetItems", { TransactItems: [{ Get: { TableName: "Things", Key: Key("quiet") } }] }],
    ["ExecuteStatement", { Statement: "SELECT * FROM Things WHERE p = 'quiet'" }],
    ["DeleteItem", { TableName: "Things", Key: Key("quiet") }],
  ]) {
    it(`is not told by ${call} unasked`, async () => assert.equal((await db.ask(call, input)).ConsumedCapacity, undefined));
    it(`is not told by ${call} when NONE is asked`, async () => assert.equal((await db.ask(call, { ...input, ReturnConsumedCapacity: "NONE" })).ConsumedCapacity, undefined));
    it(`is not a word of one's own for ${call}`, () =>
      db.invalid(call, { ...input, ReturnConsumedCapacity: "total" }, /^1 validation error detected: Value 'total' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: \[INDEXES, TOTAL, NONE\]$/));
  }
});

describe("ItemCollectionMetrics", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Local", "N", { attributes: [attribute("l", "N")], input: { LocalSecondaryIndexes: [index("ByL", "p", "l")] } });
  });
  const METRICS = { ItemCollectionKey: { p: S("a") }, SizeEstimateRangeGB: [0, 1] };
  const Key = { p: S("a"), s: N(1) };
  for (const [call, input] of [["PutItem", { Item: Key }], ["UpdateItem", { Key }], ["DeleteItem", { Key }]]) {
    it(`are told by ${call}`, async () => assert.deepEqual((await db.ask(call, { TableName: "Local", ReturnItemCollectionMetrics: "SIZE", ...input })).ItemCollectionMetrics, METRICS));
    it(`are not told by ${call} unasked`, async () => assert.equal((await db.ask(call, { TableName: "Local", ...input })).ItemCollectionMetrics, undefined));
  }
  it("are told by BatchWriteItem, by table", async () =>
    assert.deepEqual((await db.ask("BatchWriteItem", { RequestItems: { Local: [{ PutRequest: { Item: Key } }] }, ReturnItemCollectionMetrics: "SIZE" })).ItemCollectionMetrics, { Local: [METRICS] }));
  it("are told by TransactWriteItems, by table", async () =>
    assert.deepEqual((await db.ask("TransactWriteItems", { TransactItems: [{ Put: { TableName: "Local", Item: Key } }], ReturnItemCollectionMetrics: "SIZE" })).ItemCollectionMetrics, { Local: [METRICS] }));
  it("are not there without a local index", async () =>
    assert.equal((await db.ask("PutItem", { TableName: "Things", Item: { p: S("a") }, ReturnItemCollectionMetrics: "SIZE" })).ItemCollectionMetrics, undefined));
});
