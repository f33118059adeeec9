// SPDX-License-Identifier: MIT
// What writes cost, index by index, and how large item collections are told to be.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, KEYS_ONLY, RANGE, arn, attribute, index, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

describe("a write costs", () => {
  const db = useServer();
  before(() =>
    db.ask("CreateTable", {
      TableName: "Costly", BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("p"), RANGE("s")],
      AttributeDefinitions: [attribute("p"), attribute("s"), attribute("g"), attribute("l")],
      GlobalSecondaryIndexes: [index("All", "g"), index("Keys", "g", "s", KEYS_ONLY)],
      LocalSecondaryIndexes: [index("Local", "p", "l", KEYS_ONLY)],
    }));
  const Key = (s) => ({ p: S("p"), s: S(s) });
  const consumed = async (call, input, report = "INDEXES") => (await db.ask(call, { TableName: "Costly", ReturnConsumedCapacity: report, ...input })).ConsumedCapacity;
  const put = (s, more, report) => consumed("PutItem", { Item: { ...Key(s), ...more } }, report);
  const units = (CapacityUnits) => ({ CapacityUnits });

  it("the table alone when no index has the item", async () => assert.deepEqual(await put("a", {}), { TableName: "Costly", CapacityUnits: 1, Table: units(1) }));
  it("a sum when only the total is asked for", async () => assert.deepEqual(await put("b", { g: S("g"), l: S("l") }, "TOTAL"), { TableName: "Costly", CapacityUnits: 4 }));
  it("for each index that gets an entry", async () =>
    assert.deepEqual(await put("c", { g: S("g"), l: S("l") }), {
      TableName: "Costly", CapacityUnits: 4, Table: units(1), GlobalSecondaryIndexes: { All: units(1), Keys: units(1) }, LocalSecondaryIndexes: { Local: units(1) },
    }));
  it("by kilobytes of the item and of each entry", async () =>
    assert.deepEqual(await put("d", { g: S("g"), v: S("x".repeat(2500)) }), {
      TableName: "Costly", CapacityUnits: 7, Table: units(3), GlobalSecondaryIndexes: { All: units(3), Keys: units(1) },
    }));
  it("two in an index when its key changes", async () => {
    await put("e", { g: S("old") });
    const { GlobalSecondaryIndexes } = await put("e", { g: S("new") });
    assert.deepEqual(GlobalSecondaryIndexes, { All: units(2), Keys: units(2) });
  });
  it("nothing in an index whose entry stays as it is", async () => {
    await put("f", { g: S("g"), v: N(1) });
    const { CapacityUnits, GlobalSecondaryIndexes } = await put("f", { g: S("g"), v: N(2) });
    assert.deepEqual([CapacityUnits, GlobalSecondaryIndexes], [2, { All: units(1) }]);
  });
  it("one in each index that loses its entry", async () => {
    await put("h", { g: S("g"), l: S("l") });
    assert.deepEqual(await consumed("DeleteItem", { Key: Key("h") }), {
      TableName: "Costly", CapacityUnits: 4, Table: units(1), GlobalSecondaryIndexes: { All: units(1), Keys: units(1) }, LocalSecondaryIndexes: { Local: units(1) },
    });
  });
  it("the larger of what was and what is", async () => {
    await put("i", { v: S("x".repeat(5000)) });
    assert.equal((await put("i", { v: S("x") })).CapacityUnits, 5);
    assert.equal((await consumed("UpdateItem", { Key: Key("i"), UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": S("x".repeat(3000)) } })).CapacityUnits, 3);
    assert.equal((await consumed("DeleteItem", { Key: Key("i") })).CapacityUnits, 3);
  });
  it("one where nothing was and nothing comes", async () => assert.equal((await consumed("DeleteItem", { Key: Key("none") })).CapacityUnits, 1));
  it("in a batch the sum of all, index by index", async () => {
    const said = await consumed("BatchWriteItem", { TableName: undefined, RequestItems: { Costly: [{ PutRequest: { Item: { ...Key("j"), g: S("g") } } }, { PutRequest: { Item: Key("k") } }] } });
    assert.deepEqual(said, [{ TableName: "Costly", CapacityUnits: 4, Table: units(2), GlobalSecondaryIndexes: { All: units(1), Keys: units(1) } }]);
  });
  it("twice in a transaction, and once in its global indexes", async () => {
    const [said] = await consumed("TransactWriteItems", { TableName: undefined, TransactItems: [{ Put: { TableName: "Costly", Item: { ...Key("l"), g: S("g") } } }] });
    assert.equal(said.CapacityUnits, 4);
    assert.equal(said.WriteCapacityUnits, 4);
    assert.equal(said.Table.CapacityUnits, 2);
    assert.equal(said.GlobalSecondaryIndexes.All.CapacityUnits, 1);
  });
  it("in the name that the table was asked by", async () => assert.equal((await consumed("PutItem", { TableName: arn("Costly"), Item: Key("m") })).TableName, arn("Costly")));

  describe("and tells of its item collection", () => {
    const metrics = async (call, input) => (await db.ask(call, { TableName: "Costly", ReturnItemCollectionMetrics: "SIZE", ...input })).ItemCollectionMetrics;
    it("its key, and between which gigabytes it is", async () => {
      const said = await metrics("PutItem", { Item: Key("n") });
      assert.deepEqual(said.ItemCollectionKey, { p: S("p") });
      assert.equal(said.SizeEstimateRangeGB.length, 2);
      assert.ok(said.SizeEstimateRangeGB[0] >= 0 && said.SizeEstimateRangeGB[1] <= 1 && said.SizeEstimateRangeGB[0] < said.SizeEstimateRangeGB[1]);
    });
    it("after an update and a delete", async () => {
      assert.ok(await metrics("UpdateItem", { Key: Key("n") }));
      assert.ok(await metrics("DeleteItem", { Key: Key("n") }));
    });
    it("table by table in a batch", async () => {
      const said = await metrics("BatchWriteItem", { TableName: undefined, RequestItems: { Costly: [{ PutRequest: { Item: Key("o") } }] } });
      assert.deepEqual(said.Costly[0].ItemCollectionKey, { p: S("p") });
    });
    it("nothing of a table without local indexes", async () => {
      await db.makeTable("Plain");
      assert.equal((await db.ask("PutItem", { TableName: "Plain", Item: { p: S("a") }, ReturnItemCollectionMetrics: "SIZE" })).ItemCollectionMetrics, undefined);
    });
    it("nothing unasked", async () => assert.equal((await db.ask("PutItem", { TableName: "Costly", Item: Key("n") })).ItemCollectionMetrics, undefined));
  });
});
