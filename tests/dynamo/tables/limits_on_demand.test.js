// SPDX-License-Identifier: MIT
// OnDemandThroughput and WarmThroughput, of a table and of its indexes.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, P, attribute, index, useServer } from "../lib/suite.js";

const units = (ReadCapacityUnits, WriteCapacityUnits) => ({ ReadCapacityUnits, WriteCapacityUnits });
const PAID = { BillingMode: "PROVISIONED", ProvisionedThroughput: units(10, 10) };
const limits = (MaxReadRequestUnits, MaxWriteRequestUnits) => ({ OnDemandThroughput: { MaxReadRequestUnits, MaxWriteRequestUnits } });
const warm = (ReadUnitsPerSecond, WriteUnitsPerSecond) => ({ WarmThroughput: { ReadUnitsPerSecond, WriteUnitsPerSecond } });
const INITIAL = "is lower than initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial";
const DECREASED = "is lower than current WarmThroughput, decreasing WarmThroughput is not supported";

describe("limits on demand", () => {
  const db = useServer();
  const table = (TableName, more, ofIndex) => ({
    TableName, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p"), attribute("g")], KeySchema: [HASH("p")],
    GlobalSecondaryIndexes: [{ ...index("ByG", "g"), ...ofIndex }], ...more,
  });
  const ofIndex = (more, IndexName = "ByG") => ({ GlobalSecondaryIndexUpdates: [{ Update: { IndexName, ...more } }] });
  const refuses = async (call, input, sentence) => {
    const { status, json } = await db.post(call, input);
    assert.deepEqual([status, json.message], [400, sentence]);
  };
  before(async () => {
    await db.ask("CreateTable", table("Free"));
    await db.ask("CreateTable", table("Paid", PAID, { ProvisionedThroughput: units(10, 10) }));
  });

  for (const [what, input, sentence] of [
    ["a limit of nothing of an index", table("Refused", {}, limits(0)), `${P}Requested MaxReadRequestUnits for OnDemandThroughput for index : ByG is outside of valid range`],
    ["a limit that takes one away, of a new index", table("Refused", {}, limits(1, -1)), `${P}Requested MaxWriteRequestUnits for OnDemandThroughput for index : ByG is outside of valid range`],
    ["a limit of an index that is provisioned", table("Refused", PAID, { ProvisionedThroughput: units(1, 1), ...limits(5) }), `${P}MaxReadRequestUnits for OnDemandThroughput for index: ByG cannot be specified when the table BillingMode is PROVISIONED`],
    ["less warmth than there is anyway", table("Refused", warm(1, 1)), `${P}Requested ReadUnitsPerSecond for WarmThroughput for table ${INITIAL}`],
    ["no warmth", table("Refused", warm(0, 0)), `${P}Requested ReadUnitsPerSecond for WarmThroughput for table ${INITIAL}`],
    ["less warmth for writes than there is anyway", table("Refused", warm(12000, 3999)), `${P}Requested WriteUnitsPerSecond for WarmThroughput for table ${INITIAL}`],
    ["less warmth of an index than there is anyway", table("Refused", {}, warm(11999)), `${P}Requested ReadUnitsPerSecond for WarmThroughput for index ByG ${INITIAL}`],
    ["less warmth than what is provisioned", table("Refused", { ...PAID, ...warm(5, 5) }, { ProvisionedThroughput: units(1, 1) }), `${P}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than ReadCapacityUnits of ProvisionedThroughput`],
    ["less warmth of an index than what is provisioned", table("Refused", PAID, { ProvisionedThroughput: units(6, 6), ...warm(6, 5) }), `${P}Requested WriteUnitsPerSecond for WarmThroughput for index ByG is lower than WriteCapacityUnits of ProvisionedThroughput`],
  ])
    it(`of a new table are not ${what}`, () => refuses("CreateTable", input, sentence));

  const ONLY = `${P}The only Updates for index: ByG when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput`;
  const create = (more) => ({ AttributeDefinitions: [attribute("f")], GlobalSecondaryIndexUpdates: [{ Create: { ...index("ByF", "f"), ...more } }] });
  for (const [what, TableName, input, sentence] of [
    ["a limit of nothing of an index", "Free", ofIndex(limits(0)), `${P}Requested MaxReadRequestUnits for OnDemandThroughput for index : ByG is outside of valid range`],
    ["a limit of an index that is provisioned", "Paid", ofIndex(limits(5)), `${P}MaxReadRequestUnits for OnDemandThroughput for index: ByG cannot be specified when the table BillingMode is PROVISIONED`],
    ["a limit of a new index that is provisioned", "Paid", create({ ProvisionedThroughput: units(1, 1), ...limits(5) }), `${P}MaxReadRequestUnits for OnDemandThroughput for index: ByF cannot be specified when the table BillingMode is PROVISIONED`],
    ["units of an index without them", "Free", ofIndex({ ProvisionedThroughput: units(1, 1) }), ONLY],
    ["nothing of an index", "Free", ofIndex({}), ONLY],
    ["no limit of an index", "Free", ofIndex({ OnDemandThroughput: {} }), ONLY],
    ["no warmth of an index", "Free", ofIndex({ WarmThroughput: {} }), `${P}WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: ByG`],
    ["no warmth of an index, even of a table that is not there", "Nowhere", ofIndex({ WarmThroughput: {} }), `${P}WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: ByG`],
    ["units of a new index without them", "Free", create({ ProvisionedThroughput: units(1, 1) }), `${P}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: ByF when BillingMode is PAY_PER_REQUEST`],
    ["no units of a new index with them", "Paid", create({}), `${P}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: ByF`],
    ["warmth out of bounds", "Free", warm(1_000_000_000_001), "Given value 1000000000001 for ReadUnitsPerSecond is out of bounds"],
    ["less warmth than before", "Free", warm(11999), `${P}Requested ReadUnitsPerSecond for WarmThroughput for table ${DECREASED}`],
    ["less warmth for writes than before", "Paid", warm(10, -1), `${P}Requested WriteUnitsPerSecond for WarmThroughput for table ${DECREASED}`],
    ["less warmth of an index than before", "Free", ofIndex(warm(1)), `${P}Requested ReadUnitsPerSecond for WarmThroughput for index ByG ${DECREASED}`],
  ])
    it(`do not become ${what}`, () => refuses("UpdateTable", { TableName, ...input }, sentence));

  it("may be none of a new index", async () => {
    const { TableDescription } = await db.ask("CreateTable", table("Empty", {}, { OnDemandThroughput: {}, WarmThroughput: {} }));
    const [{ OnDemandThroughput, WarmThroughput }] = TableDescription.GlobalSecondaryIndexes;
    assert.deepEqual([OnDemandThroughput, WarmThroughput], [undefined, { ReadUnitsPerSecond: 12000, WriteUnitsPerSecond: 4000, Status: "ACTIVE" }]);
  });
  it("are at least as warm as what is provisioned, or on demand at once", async () => {
    await db.ask("CreateTable", table("Cold", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(5, 5), ...warm(100, 100) }, { ProvisionedThroughput: units(5, 5) }));
    const warmth = async () => {
      const { ReadUnitsPerSecond, WriteUnitsPerSecond } = (await db.ask("DescribeTable", { TableName: "Cold" })).Table.WarmThroughput;
      return [ReadUnitsPerSecond, WriteUnitsPerSecond];
    };
    assert.deepEqual(await warmth(), [100, 100]);
    await db.ask("UpdateTable", { TableName: "Cold", ProvisionedThroughput: units(500, 50) });
    assert.deepEqual(await warmth(), [500, 100]);
    await db.invalid("UpdateTable", { TableName: "Cold", ...warm(200, 200) }, `${P}Requested ReadUnitsPerSecond for WarmThroughput for table ${DECREASED}`);
    await db.ask("UpdateTable", { TableName: "Cold", BillingMode: "PAY_PER_REQUEST" });
    assert.deepEqual(await warmth(), [12000, 4000]);
  });
  it("grow warm, and are kept", async () => {
    await db.ask("UpdateTable", { TableName: "Free", ...warm(20000) });
    await db.ask("UpdateTable", { TableName: "Free", ...ofIndex(warm(undefined, 5000)) });
    const { Table } = await db.ask("DescribeTable", { TableName: "Free" });
    assert.deepEqual([Table, Table.GlobalSecondaryIndexes[0]].map(({ WarmThroughput: w }) => [w.ReadUnitsPerSecond, w.WriteUnitsPerSecond]), [[20000, 4000], [12000, 5000]]);
  });
  it("are told for what has one, and go with the way of billing", async () => {
    const told = async () => {
      const { Table } = await db.ask("DescribeTable", { TableName: "Limited" });
      return [Table.OnDemandThroughput, Table.GlobalSecondaryIndexes[0].OnDemandThroughput];
    };
    await db.ask("CreateTable", table("Limited", limits(100), limits(7, 8)));
    assert.deepEqual(await told(), [{ MaxReadRequestUnits: 100 }, { MaxReadRequestUnits: 7, MaxWriteRequestUnits: 8 }]);
    await db.ask("UpdateTable", { TableName: "Limited", ...ofIndex(limits(-1)) });
    assert.deepEqual(await told(), [{ MaxReadRequestUnits: 100 }, { MaxWriteRequestUnits: 8 }]);
    await db.ask("UpdateTable", { TableName: "Limited", ...PAID, ...ofIndex({ ProvisionedThroughput: units(1, 1) }) });
    await db.ask("UpdateTable", { TableName: "Limited", BillingMode: "PAY_PER_REQUEST" });
    assert.deepEqual(await told(), [undefined, undefined]);
  });
});
