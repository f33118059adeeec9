// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { P, useThings } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

describe("DeleteItem", () => {
  const db = useThings();
  const remove = (p, more) => db.ask("DeleteItem", db.things(p, more));
  const fails = (p, more, sentence) => db.invalid("DeleteItem", db.things(p, more), sentence);

  it("takes the item away and says nothing", async () => {
    await db.put("a");
    assert.deepEqual(await remove("a"), {});
    assert.equal(await db.get("a"), undefined);
  });
  it("is content when there is none", async () => assert.deepEqual(await remove("never", { ReturnValues: "ALL_OLD" }), {}));
  it("shows what it took", async () => {
    await db.put("b", { v: N(1) });
    assert.deepEqual(await remove("b", { ReturnValues: "ALL_OLD" }), { Attributes: { p: S("b"), v: N(1) } });
  });
  it("keeps what its condition protects", async () => {
    await db.put("c", { v: N(1) });
    const error = await db.refuses("DeleteItem", db.things("c", { ConditionExpression: "v = :v", ExpressionAttributeValues: { ":v": N(2) }, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
      "ConditionalCheckFailedException", "The conditional request failed");
    assert.deepEqual(error.Item, { p: S("c"), v: N(1) });
    assert.deepEqual(await db.get("c"), { v: N(1) });
  });
  it("has a condition fail on an item that is not there", async () => {
    const error = await db.refuses("DeleteItem", db.things("never", { ConditionExpression: "attribute_exists(p)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
      "ConditionalCheckFailedException", "The conditional request failed");
    assert.equal(error.Item, undefined);
  });
  it("has the old kind of condition", async () => {
    await db.put("d", { v: N(1) });
    await db.refuses("DeleteItem", db.things("d", { Expected: { v: { Value: N(2) } } }), "ConditionalCheckFailedException", "The conditional request failed");
    await remove("d", { Expected: { v: { Value: N(1) } } });
    assert.equal(await db.get("d"), undefined);
  });
  for (const ReturnValues of ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
    it(`cannot return ${ReturnValues}`, () => fails("a", { ReturnValues }, "ReturnValues can only be ALL_OLD or NONE"));
  it("wants the whole key and nothing else", () => fails("a", { Key: { p: S("a"), q: S("b") } }, "The provided key element does not match the schema"));
  it("refuses an empty key", () => fails("", {}, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"));
  it("refuses a key that is too long", () => fails("x".repeat(2049), {}, `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`));
  it("refuses a bad word for what a failed condition returns", () =>
    fails("a", { ReturnValuesOnConditionCheckFailure: "SOME" }, /^1 validation error detected: Value 'SOME' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: \[/));
  it("does not know other tables", () => db.refuses("DeleteItem", { TableName: "Missing", Key: { p: S("a") } }, "ResourceNotFoundException", "Requested resource not found"));
  it("costs one unit where nothing was", async () =>
    assert.deepEqual((await remove("never", { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity, { TableName: "Things", CapacityUnits: 1 }));
  it("costs what the item had", async () => {
    await db.put("large", { v: S("x".repeat(3000)) });
    assert.equal((await remove("large", { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.CapacityUnits, 3);
  });
});
