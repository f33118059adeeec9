// SPDX-License-Identifier: MIT
// What UpdateItem gives back: the four kinds, at nested paths too.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useThings } from "../lib/suite.js";
import { L, M, N, S, SS } from "../lib/values.js";

const ITEM = { n: N(1), s: SS("a", "b"), m: M({ x: N(1), y: N(2) }), l: L(N(0), N(1), N(2)), deep: M({ l: L(M({ z: N(1), w: N(2) }), S("e")) }) };

describe("UpdateItem returns", () => {
  const db = useThings();
  let serial = 0;

  for (const [expression, values, old, fresh] of [
    ["SET n = :v", { ":v": N(9) }, { n: N(1) }, { n: N(9) }],
    ["SET n = :v", { ":v": N(1) }, { n: N(1) }, { n: N(1) }],
    ["SET fresh = :v", { ":v": N(9) }, undefined, { fresh: N(9) }],
    ["SET n = :v, fresh = :v", { ":v": N(9) }, { n: N(1) }, { n: N(9), fresh: N(9) }],
    ["SET m.x = :v", { ":v": N(9) }, { m: M({ x: N(1) }) }, { m: M({ x: N(9) }) }],
    ["SET m.fresh = :v", { ":v": N(9) }, undefined, { m: M({ fresh: N(9) }) }],
    ["SET m.x = :v, m.y = :v", { ":v": N(9) }, { m: M({ x: N(1), y: N(2) }) }, { m: M({ x: N(9), y: N(9) }) }],
    ["SET l[1] = :v", { ":v": N(9) }, { l: L(N(1)) }, { l: L(N(9)) }],
    ["SET l[2] = :v, l[0] = :v", { ":v": N(9) }, { l: L(N(0), N(2)) }, { l: L(N(9), N(9)) }],
    ["SET deep.l[0].z = :v", { ":v": N(9) }, { deep: M({ l: L(M({ z: N(1) })) }) }, { deep: M({ l: L(M({ z: N(9) })) }) }],
    ["SET l[100] = :v", { ":v": N(9) }, undefined, undefined],
    ["SET l[3] = :v", { ":v": N(9) }, undefined, { l: L(N(9)) }],
    ["REMOVE n", undefined, { n: N(1) }, undefined],
    ["REMOVE nothing", undefined, undefined, undefined],
    ["REMOVE m.x", undefined, { m: M({ x: N(1) }) }, undefined],
    ["REMOVE l[1]", undefined, { l: L(N(1)) }, { l: L(N(2)) }],
    ["REMOVE l[2]", undefined, { l: L(N(2)) }, undefined],
    ["REMOVE deep.l[0].w", undefined, { deep: M({ l: L(M({ w: N(2) })) }) }, undefined],
    ["ADD n :v", { ":v": N(9) }, { n: N(1) }, { n: N(10) }],
    ["ADD fresh :v", { ":v": N(9) }, undefined, { fresh: N(9) }],
    ["ADD s :v", { ":v": SS("c") }, { s: SS("a", "b") }, { s: SS("a", "b", "c") }],
    ["DELETE s :v", { ":v": SS("a") }, { s: SS("a", "b") }, { s: SS("b") }],
    ["DELETE s :v", { ":v": SS("a", "b") }, { s: SS("a", "b") }, undefined],
    ["SET n = :v REMOVE m.x ADD fresh :v", { ":v": N(9) }, { n: N(1), m: M({ x: N(1) }) }, { n: N(9), fresh: N(9) }],
  ]) {
    const what = `${expression}${values ? ` with ${JSON.stringify(values[":v"])}` : ""}`;
    it(`UPDATED_OLD of ${what}`, async () => {
      const p = `o${serial++}`;
      await db.put(p, ITEM);
      assert.deepEqual(await db.update(p, expression, values, { ReturnValues: "UPDATED_OLD" }), old ? { Attributes: old } : {});
    });
    it(`UPDATED_NEW of ${what}`, async () => {
      const p = `n${serial++}`;
      await db.put(p, ITEM);
      assert.deepEqual(await db.update(p, expression, values, { ReturnValues: "UPDATED_NEW" }), fresh ? { Attributes: fresh } : {});
    });
  }

  it("ALL_OLD the whole item as it was", async () => {
    await db.put("all", ITEM);
    assert.deepEqual(await db.update("all", "SET n = :v", { ":v": N(2) }, { ReturnValues: "ALL_OLD" }), { Attributes: { p: S("all"), ...ITEM } });
  });
  it("ALL_NEW the whole item as it is, with its key", async () => {
    await db.put("all", ITEM);
    assert.deepEqual(await db.update("all", "SET n = :v", { ":v": N(2) }, { ReturnValues: "ALL_NEW" }), { Attributes: { p: S("all"), ...ITEM, n: N(2) } });
  });
  it("ALL_OLD nothing of an item that was not there", async () => assert.deepEqual(await db.update("x1", "SET n = :v", { ":v": N(2) }, { ReturnValues: "ALL_OLD" }), {}));
  it("ALL_NEW of an item that was not there", async () =>
    assert.deepEqual(await db.update("x2", "SET n = :v", { ":v": N(2) }, { ReturnValues: "ALL_NEW" }), { Attributes: { p: S("x2"), n: N(2) } }));
  it("ALL_NEW nothing when REMOVE made none", async () => assert.deepEqual(await db.update("x3", "REMOVE n", undefined, { ReturnValues: "ALL_NEW" }), {}));
  it("ALL_NEW the key of an item made of nothing else", async () =>
    assert.deepEqual(await db.update("x4", undefined, undefined, { ReturnValues: "ALL_NEW" }), { Attributes: { p: S("x4") } }));
  it("UPDATED_NEW no key of an item made of nothing else", async () => assert.deepEqual(await db.update("x5", undefined, undefined, { ReturnValues: "UPDATED_NEW" }), {}));
  it("nothing when told NONE", async () => assert.deepEqual(await db.update("x6", "SET n = :v", { ":v": N(2) }, { ReturnValues: "NONE" }), {}));
  it("no other kinds", () =>
    db.invalid("UpdateItem", db.things("x", { ReturnValues: "ALL" }),
      "1 validation error detected: Value 'ALL' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"));
  it("the item that failed its condition, when asked", async () => {
    await db.put("cond", { n: N(1) });
    const error = await db.refuses("UpdateItem", db.things("cond", { UpdateExpression: "SET n = :v", ConditionExpression: "n = :v", ExpressionAttributeValues: { ":v": N(2) }, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
      "ConditionalCheckFailedException", "The conditional request failed");
    assert.deepEqual(error.Item, { p: S("cond"), n: N(1) });
  });
});
