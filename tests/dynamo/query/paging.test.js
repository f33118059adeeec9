// SPDX-License-Identifier: MIT
// Pages: of tables and indexes with every kind of key, in both directions, with and without filters. Whatever the size
// of a page, all pages together are everything, once, in order.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ALL, HASH, RANGE, attribute, useServer } from "../lib/suite.js";
import { B, N, S } from "../lib/values.js";

const AMOUNT = 24;
const of = {
  S: (i) => S(String(i).padStart(3, "0")),
  N: (i) => N(i - 10),
  B: (i) => B([i, 255]),
};

describe("pages", () => {
  const db = useServer();

  async function all(call, input) {
    const found = [];
    let pages = 0;
    let ExclusiveStartKey;
    do {
      const page = await db.ask(call, { ...input, ExclusiveStartKey });
      assert.ok(page.ScannedCount <= (input.Limit ?? Infinity));
      assert.equal(page.Count, page.Items.length);
      found.push(...page.Items);
      ExclusiveStartKey = page.LastEvaluatedKey;
      pages++;
    } while (ExclusiveStartKey && pages < 1000);
    return found;
  }
  const fill = async (table, items) => {
    for (let i = 0; i < items.length; i += 25)
      await db.ask("BatchWriteItem", { RequestItems: { [table]: items.slice(i, i + 25).map((Item) => ({ PutRequest: { Item } })) } });
  };
  const sorted = (items, name) => items.map((one) => JSON.stringify(one[name])).sort();

  for (const p of ["S", "N", "B"])
    for (const s of ["S", "N", "B"])
      describe(`of a table parted by ${p} and sorted by ${s}, with indexes turned round`, () => {
        const TableName = `Of${p}${s}`;
        const items = Array.from({ length: AMOUNT }, (_, i) => ({ p: of[p](1), s: of[s](i), g: of[s](7), l: of[p](AMOUNT - i), v: N(i % 3) }));
        before(async () => {
          await db.ask("CreateTable", {
            TableName, BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("p"), RANGE("s")],
            AttributeDefinitions: [attribute("p", p), attribute("s", s), attribute("g", s), attribute("l", p)],
            GlobalSecondaryIndexes: [{ IndexName: "Global", KeySchema: [HASH("g"), RANGE("l")], Projection: ALL }],
            LocalSecondaryIndexes: [{ IndexName: "Local", KeySchema: [HASH("p"), RANGE("l")], Projection: ALL }],
          });
          await fill(TableName, items);
        });
        const condition = { KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": of[p](1) } };
        const global = { IndexName: "Global", KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": of[s](7) } };
        const reversed = [...items].reverse();

        for (const Limit of [1, 5, AMOUNT]) {
          it(`are everything in order, ${Limit} at a time`, async () => {
            assert.deepEqual(await all("Query", { TableName, Limit, ...condition }), items);
            assert.deepEqual(await all("Query", { TableName, Limit, ...condition, ScanIndexForward: false }), reversed);
          });
          it(`of indexes are everything in their order, ${Limit} at a time`, async () => {
            assert.deepEqual(await all("Query", { TableName, Limit, IndexName: "Local", ...condition }), reversed);
            assert.deepEqual(await all("Query", { TableName, Limit, ...global }), reversed);
            assert.deepEqual(await all("Query", { TableName, Limit, ...global, ScanIndexForward: false }), items);
          });
          it(`of scans are everything, ${Limit} at a time`, async () => {
            for (const IndexName of [undefined, "Global", "Local"])
              assert.deepEqual(sorted(await all("Scan", { TableName, Limit, IndexName }), "s"), sorted(items, "s"));
          });
        }
        it("with a filter are what it leaves", async () => {
          const filtered = { TableName, Limit: 4, ...condition, FilterExpression: "v = :v", ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ":v": N(1) } };
          assert.deepEqual(await all("Query", filtered), items.filter((one) => one.v.N === "1"));
        });
        it("begin where no item is", async () => {
          await db.ask("DeleteItem", { TableName, Key: { p: of[p](1), s: of[s](5) } });
          const { Items } = await db.ask("Query", { TableName, Limit: 2, ...condition, ExclusiveStartKey: { p: of[p](1), s: of[s](5) } });
          assert.deepEqual(Items, items.slice(6, 8));
          await db.ask("PutItem", { TableName, Item: items[5] });
        });
        it("have a key of everything that places an item", async () => {
          const key = async (more) => Object.keys((await db.ask("Query", { TableName, Limit: 1, ...more })).LastEvaluatedKey).sort();
          assert.deepEqual(await key(condition), ["p", "s"]);
          assert.deepEqual(await key({ ...condition, IndexName: "Local" }), ["l", "p", "s"]);
          assert.deepEqual(await key(global), ["g", "l", "p", "s"]);
        });
      });

  describe("of many items under one index key", () => {
    const items = Array.from({ length: 60 }, (_, i) => ({ p: S(`p${i}`), g: S("all") }));
    before(async () => {
      await db.makeTable("Same", undefined, {
        attributes: [attribute("g")],
        input: { GlobalSecondaryIndexes: [{ IndexName: "ByG", KeySchema: [HASH("g")], Projection: ALL }] },
      });
      await fill("Same", items);
    });
    for (const Limit of [1, 7, 60, 100])
      it(`miss none and repeat none, ${Limit} at a time`, async () => {
        const found = await all("Query", { TableName: "Same", IndexName: "ByG", Limit, KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": S("all") } });
        assert.equal(found.length, 60);
        assert.deepEqual(sorted(found, "p"), sorted(items, "p"));
      });
    it("go backward as they go forward", async () => {
      const query = { TableName: "Same", IndexName: "ByG", Limit: 7, KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": S("all") } };
      assert.deepEqual(await all("Query", { ...query, ScanIndexForward: false }), (await all("Query", query)).reverse());
    });
  });

  describe("of an index with several key attributes", () => {
    const items = [];
    for (const region of ["eu", "us"])
      for (const year of [2024, 2025])
        for (const day of [1, 2, 10]) items.push({ p: S(`${region}${year}${day}`), tenant: S("t"), region: S(region), y: N(year), d: N(day), u: S(`u${day}`) });
    before(async () => {
      await db.ask("CreateTable", {
        TableName: "Several", BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("p")],
        AttributeDefinitions: [attribute("p"), attribute("tenant"), attribute("region"), attribute("y", "N"), attribute("d", "N")],
        GlobalSecondaryIndexes: [{ IndexName: "Multi", KeySchema: [HASH("tenant"), HASH("region"), RANGE("y"), RANGE("d")], Projection: ALL }],
      });
      await fill("Several", items);
    });
    const query = (rest, values, more = {}) => ({
      TableName: "Several", IndexName: "Multi", KeyConditionExpression: `tenant = :t AND #r = :r${rest}`,
      ExpressionAttributeNames: { "#r": "region" }, ExpressionAttributeValues: { ":t": S("t"), ":r": S("eu"), ...values }, ...more,
    });
    const eu = items.filter((one) => one.region.S === "eu");
    for (const [what, rest, values, wanted] of [
      ["all partition attributes", "", {}, eu],
      ["the first sort attribute", " AND y = :y", { ":y": N(2025) }, eu.slice(3)],
      ["a range of the first", " AND y < :y", { ":y": N(2025) }, eu.slice(0, 3)],
      ["both, the second by its numbers", " AND y = :y AND d BETWEEN :a AND :b", { ":y": N(2024), ":a": N(2), ":b": N(10) }, eu.slice(1, 3)],
      ["clauses in any order", " AND d >= :a AND y = :y", { ":y": N(2024), ":a": N(2) }, eu.slice(1, 3)],
    ])
      it(`are found by ${what}`, async () => {
        assert.deepEqual(await all("Query", query(rest, values)), wanted);
        assert.deepEqual(await all("Query", query(rest, values, { Limit: 1 })), wanted);
      });
    it("have a key of all of them", async () => {
      const { LastEvaluatedKey } = await db.ask("Query", query("", {}, { Limit: 1 }));
      assert.deepEqual(Object.keys(LastEvaluatedKey).sort(), ["d", "p", "region", "tenant", "y"]);
    });
    it("are not found by half of the partition", () =>
      db.invalid("Query", { TableName: "Several", IndexName: "Multi", KeyConditionExpression: "tenant = :t", ExpressionAttributeValues: { ":t": S("t") } }, "Query condition missed key schema element: region"));
    it("are not found past a gap", () => db.invalid("Query", query(" AND d = :d", { ":d": N(1) })));
    it("are not found by two ranges", () => db.invalid("Query", query(" AND y > :y AND d > :d", { ":y": N(1), ":d": N(1) })));
    it("are not filtered by a key", () =>
      db.invalid("Query", query("", { ":d": N(1) }, { FilterExpression: "d = :d" }), "Filter Expression can only contain non-primary key attributes: Primary key attribute: d"));
  });

  describe("of megabytes", () => {
    before(async () => {
      await db.makeTable("Large", "N");
      for (let i = 0; i < 12; i++) await db.ask("PutItem", { TableName: "Large", Item: { p: S("a"), s: N(i), v: S("x".repeat(200_000)), w: N(i) } });
    });
    const query = { TableName: "Large", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") } };
    it("end with the item that crosses 1 MB", async () => {
      const page = await db.ask("Query", query);
      assert.equal(page.Count, 6);
      assert.deepEqual(page.LastEvaluatedKey, { p: S("a"), s: N(5) });
    });
    it("are counted before the filter and the projection", async () => {
      const page = await db.ask("Query", {
        ...query, ProjectionExpression: "w", FilterExpression: "w = :w", ExpressionAttributeValues: { ":p": S("a"), ":w": N(11) },
      });
      assert.deepEqual([page.Count, page.ScannedCount, page.LastEvaluatedKey], [0, 6, { p: S("a"), s: N(5) }]);
    });
    it("end at 1 MB also when only counted", async () => {
      const page = await db.ask("Query", { ...query, Select: "COUNT" });
      assert.deepEqual([page.Items, page.Count], [undefined, 6]);
    });
    it("cost what was read", async () => {
      const { ConsumedCapacity } = await db.ask("Query", { ...query, ProjectionExpression: "w", ReturnConsumedCapacity: "TOTAL" });
      assert.equal(ConsumedCapacity.CapacityUnits, Math.ceil((6 * 200_010) / 4096) / 2);
    });
    it("are all of a scan too", async () => {
      const found = await all("Scan", { TableName: "Large", ProjectionExpression: "s" });
      assert.deepEqual(found.map((one) => +one.s.N), Array.from({ length: 12 }, (_, i) => i));
    });
  });

  it("give a key when the limit is just what is there, and then nothing", async () => {
    const page = await db.ask("Query", { TableName: "OfSS", Limit: AMOUNT, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": of.S(1) } });
    assert.equal(page.Count, AMOUNT);
    assert.ok(page.LastEvaluatedKey);
    const rest = await db.ask("Query", { TableName: "OfSS", ExclusiveStartKey: page.LastEvaluatedKey, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": of.S(1) } });
    assert.deepEqual(rest, { Items: [], Count: 0, ScannedCount: 0 });
  });
  it("are empty of a partition that is not there", async () =>
    assert.deepEqual(await db.ask("Query", { TableName: "OfSS", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("none") } }), { Items: [], Count: 0, ScannedCount: 0 }));
});
