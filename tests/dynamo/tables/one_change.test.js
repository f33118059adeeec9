// SPDX-License-Identifier: MIT
// UpdateTable is one change a call: what goes together, what does not, and which of two faults is told.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, P, attribute, index, useServer } from "../lib/suite.js";

const units = (ReadCapacityUnits, WriteCapacityUnits) => ({ ReadCapacityUnits, WriteCapacityUnits });
const PP = { BillingMode: "PAY_PER_REQUEST" };
const UNITS = { ProvisionedThroughput: units(6, 6) };
const ON = { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } };
const LIMITS = { OnDemandThroughput: { MaxReadRequestUnits: 5 } };
const WARM = { WarmThroughput: { ReadUnitsPerSecond: 15000 } };
const SSE = { SSESpecification: { Enabled: true } };
const CLASS = { TableClass: "STANDARD" };
const PROTECTED = { DeletionProtectionEnabled: true };
const CREATE = { AttributeDefinitions: [attribute("f")], GlobalSecondaryIndexUpdates: [{ Create: index("ByF", "f") }] };
const CREATE_PAID = { ...CREATE, GlobalSecondaryIndexUpdates: [{ Create: { ...index("ByF", "f"), ProvisionedThroughput: units(1, 1) } }] };
const DELETE = { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "ByG" } }] };
const CHANGE = { GlobalSecondaryIndexUpdates: [{ Update: { IndexName: "ByG", ...LIMITS } }] };
const EMPTY = { GlobalSecondaryIndexUpdates: [] };

const ALONE = (what) => `${P}${what} modification must be the only operation in the request`;
const WARM_ALONE = `${P}WarmThroughput must be the only operation in the request`;
const LIMITS_ALONE = `${P}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request`;
const NO_INDEX = `${P}You cannot create or delete index while updating table IOPS`;
const NO_STREAM = `${P}You cannot modify stream status while updating table IOPS`;
const CHANGES = [
  "ProvisionedThroughput", "BillingMode", "UpdateStreamEnabled", "GlobalSecondaryIndexUpdates", "SSESpecification", "ReplicaUpdates", "MultiAccountReplicaReady",
  "ReplicaTransitRoleArn", "MultiRegionConsistency", "DeletionProtectionEnabled", "OnDemandThroughput", "WarmThroughput",
];
const AT_LEAST = (given) => `At least one of ${CHANGES.filter((name) => name !== given).join(", ")} or TableClass is required`;

describe("one change a call", () => {
  const db = useServer();
  const table = (TableName, more, ofIndex) => ({ TableName, AttributeDefinitions: [attribute("p"), attribute("g")], KeySchema: [HASH("p")], GlobalSecondaryIndexes: [{ ...index("ByG", "g"), ...ofIndex }], ...more });
  const paid = (TableName) => table(TableName, { ProvisionedThroughput: units(5, 5) }, { ProvisionedThroughput: units(5, 5) });
  before(async () => {
    await db.ask("CreateTable", table("Free", PP));
    await db.ask("CreateTable", paid("Paid"));
    await db.ask("CreateTable", paid("Switched"));
  });

  for (const [what, TableName, input, sentence] of [
    ["limits on demand and a stream", "Free", { ...LIMITS, ...ON }, LIMITS_ALONE],
    ["limits on demand and a new index", "Free", { ...LIMITS, ...CREATE }, LIMITS_ALONE],
    ["limits on demand of the table and of an index", "Free", { ...LIMITS, ...CHANGE }, LIMITS_ALONE],
    ["limits on demand and warmth", "Free", { ...LIMITS, ...WARM }, LIMITS_ALONE],
    ["limits on demand, the way of billing and a stream", "Free", { ...LIMITS, ...PP, ...ON }, LIMITS_ALONE],
    ["limits on demand and protection", "Free", { ...LIMITS, ...PROTECTED }, ALONE("DeletionProtection")],
    ["warmth and a stream", "Free", { ...WARM, ...ON }, WARM_ALONE],
    ["warmth and a new index", "Free", { ...WARM, ...CREATE }, `${P}Create global secondary index cannot be specified when updating WarmThroughput`],
    ["warmth and protection", "Free", { ...WARM, ...PROTECTED }, ALONE("DeletionProtection")],
    ["protection and a class", "Free", { ...PROTECTED, ...CLASS }, ALONE("TableClass")],
    ["a class and encryption", "Free", { ...CLASS, ...SSE }, ALONE("Server-Side Encryption")],
    ["units and a new index", "Paid", { ...UNITS, ...CREATE_PAID }, NO_INDEX],
    ["units and an index less", "Paid", { ...UNITS, ...DELETE }, NO_INDEX],
    ["the way of billing and an index less", "Paid", { ...PP, ...DELETE }, NO_INDEX],
    ["the way of billing, as it is, and a stream", "Paid", { BillingMode: "PROVISIONED", ...ON }, NO_STREAM],
    ["nothing", "Free", {}, AT_LEAST()],
    ["no updates of indexes", "Free", EMPTY, AT_LEAST("GlobalSecondaryIndexUpdates")],
    ["definitions alone", "Free", { AttributeDefinitions: [attribute("p")] }, AT_LEAST()],
    ["no limits", "Free", { OnDemandThroughput: {} }, AT_LEAST("OnDemandThroughput")],
    ["no warmth", "Free", { WarmThroughput: {} }, AT_LEAST("WarmThroughput")],
    ["the consistency of regions alone", "Free", { MultiRegionConsistency: "STRONG" }, AT_LEAST("MultiRegionConsistency")],
  ])
    it(`is not ${what}`, () => db.invalid("UpdateTable", { TableName, ...input }, sentence));

  it("is neither regions nor their consistency with anything else", async () => {
    for (const more of [{ MultiRegionConsistency: "STRONG" }, { GlobalTableWitnessUpdates: [{ Create: { RegionName: "eu-west-1" } }] }])
      await db.invalid("UpdateTable", { TableName: "Free", DeletionProtectionEnabled: false, ...more });
  });
  it("may be a new index with the way of billing that it needs", async () => {
    await db.ask("UpdateTable", { TableName: "Switched", ...PP, ...CREATE });
    const { Table } = await db.ask("DescribeTable", { TableName: "Switched" });
    assert.equal(Table.BillingModeSummary.BillingMode, "PAY_PER_REQUEST");
    assert.deepEqual(Table.GlobalSecondaryIndexes.map((one) => [one.IndexName, one.ProvisionedThroughput.ReadCapacityUnits]).sort(), [["ByF", 0], ["ByG", 0]]);
  });
  for (const [what, input] of [["protection", { DeletionProtectionEnabled: false }], ["a class", CLASS]])
    it(`may be ${what} next to no limits, no warmth and no updates of indexes`, () => db.ask("UpdateTable", { TableName: "Free", ...input, ...EMPTY, OnDemandThroughput: {}, WarmThroughput: {} }));
});

describe("what is wrong with UpdateTable alone", () => {
  const db = useServer();
  const TOO_MANY = 1_000_000_000_001;
  for (const [what, input, sentence] of [
    ["a stream without a view", { StreamSpecification: { StreamEnabled: true } }, `${P}If stream is being enabled then UpdateViewType is required`],
    ["a view without a stream", { StreamSpecification: { StreamEnabled: false, StreamViewType: "NEW_IMAGE" } }, `${P}If stream is being disabled, then UpdateViewType must not be specified`],
    ["units and none", { ...PP, ...UNITS }, `${P}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`],
    ["units that nobody has", { ProvisionedThroughput: units(TOO_MANY, 1) }, `Given value ${TOO_MANY} for ReadCapacityUnits is out of bounds`],
    ["an index of undefined attributes", { ...CREATE, AttributeDefinitions: undefined }, `${P}AttributeDefinitions is not specified for index: ByF`],
    ["an index without a projection", { ...CREATE, GlobalSecondaryIndexUpdates: [{ Create: { ...index("ByF", "f"), Projection: {} } }] }, `${P}Unknown ProjectionType: null`],
    ["a class that is none", { TableClass: "GOLD" }, "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."],
  ])
    it(`is told of a table that is not there: ${what}`, () => db.invalid("UpdateTable", { TableName: "Nowhere", ...input }, sentence));
  it("is told before that, but only that", () => db.refuses("UpdateTable", { TableName: "Nowhere", ...PP }, "ResourceNotFoundException", "Requested resource not found: Table: Nowhere not found"));
});
