// SPDX-License-Identifier: MIT
// What is refused while a table is shown as being created or updated (--table-delay-ms).
import { before, describe, it } from "node:test";
import { HASH, attribute, index, useServer } from "../lib/suite.js";

const IN_USE = "Attempt to change a resource which is still in use: ";
const table = { TableName: "Slow", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p"), attribute("g")], KeySchema: [HASH("p")], GlobalSecondaryIndexes: [index("ByG", "g")] };
const ttl = { TimeToLiveSpecification: { Enabled: true, AttributeName: "t" } };
const drop = { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "ByG" } }] };

describe("a table that is being created", () => {
  const db = useServer("--table-delay-ms", "600000");
  before(() => db.ask("CreateTable", table));
  const inUse = (call, more, sentence) => db.refuses(call, { TableName: "Slow", ...more }, "ResourceInUseException", IN_USE + sentence);
  it("is not deleted", () => inUse("DeleteTable", {}, "Table is being created: Slow"));
  it("is not changed", () => inUse("UpdateTable", { DeletionProtectionEnabled: true }, "Table is being created: Slow"));
  it("keeps its indexes", () => inUse("UpdateTable", drop, "Table is being created: Slow"));
  it("has no time to live yet", () => inUse("UpdateTimeToLive", ttl, "Table Slow is being created"));
  it("does not tell of time to live", () =>
    db.invalid("DescribeTimeToLive", { TableName: "Slow" }, "Cannot describe time to live while table is in CREATING state: Current table state is CREATING"));
});

describe("a table that is being updated", () => {
  const db = useServer("--table-delay-ms", "700");
  before(async () => {
    await db.ask("CreateTable", table);
    for (let status; status !== "ACTIVE"; ) status = (await db.ask("DescribeTable", { TableName: "Slow" })).Table.TableStatus;
    await db.ask("UpdateTable", { TableName: "Slow", StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } });
  });
  const inUse = (call, more, sentence) => db.refuses(call, { TableName: "Slow", ...more }, "ResourceInUseException", IN_USE + sentence);
  it("keeps its indexes", () => inUse("UpdateTable", drop, "Table: Slow is in the process of being updated."));
  it("is not deleted", () => inUse("DeleteTable", {}, "Table: Slow is in the process of being updated."));
});
