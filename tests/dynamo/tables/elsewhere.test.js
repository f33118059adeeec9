// SPDX-License-Identifier: MIT
// What AWS has around a table and this server has not is refused or empty, but not for everybody and anything.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, P, arn, attribute, index, useServer } from "../lib/suite.js";

describe("what is elsewhere", () => {
  const db = useServer();
  before(() => db.makeTable("Things", undefined, { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } }));
  const recovery = (PointInTimeRecoverySpecification, TableName = "Things") => ({ TableName, PointInTimeRecoverySpecification });
  const PERIOD = (value, words) => `1 validation error detected: Value '${value}' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value ${words}`;

  for (const [what, call, input, sentence] of [
    ["for no day", "UpdateContinuousBackups", recovery({ PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 0 }), PERIOD(0, "greater than or equal to 1")],
    ["for 36 days", "UpdateContinuousBackups", recovery({ PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 36 }), PERIOD(36, "less than or equal to 35")],
    ["off, for some days", "UpdateContinuousBackups", recovery({ PointInTimeRecoveryEnabled: false, RecoveryPeriodInDays: 7 }), "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."],
    ["of what is no backup", "DescribeBackup", { BackupArn: "" }, "Invalid Backup ARN"],
    ["of a table", "DeleteBackup", { BackupArn: arn("Things") }, "Invalid Backup ARN"],
    ["by none", "ListBackups", { Limit: 0 }, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"],
    ["by too many", "ListBackups", { Limit: 101 }, "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"],
    ["of another kind", "ListBackups", { BackupType: "MINE" }, /^1 validation error detected: Value 'MINE' at 'backupType' failed to satisfy constraint: Member must satisfy enum value set: \[/],
    ["from a time to one before", "ListBackups", { TimeRangeLowerBound: 2, TimeRangeUpperBound: 1 }, `${P}Time range lower bound must be less than or equal to upper bound`],
    ["of what is no ARN", "GetResourcePolicy", { ResourceArn: "x" }, `${P}ARNs must start with 'arn:': x`],
    ["of an index", "GetResourcePolicy", { ResourceArn: `${arn("Things")}/index/ByG` }, /only table or stream is accepted/],
  ])
    it(`${call} is not ${what}`, async () => {
      const { status, json } = await db.post(call, input);
      assert.deepEqual([status, json.__type], [400, "com.amazon.coral.validate#ValidationException"]);
      if (typeof sentence === "string") assert.equal(json.message, sentence);
      else assert.match(json.message, sentence);
    });
  for (const [call, input, name, sentence] of [
    ["UpdateContinuousBackups", recovery({ PointInTimeRecoveryEnabled: true }, "Nowhere"), "TableNotFoundException", "Table not found: Nowhere"],
    ["ListContributorInsights", { TableName: "Nowhere" }, "ResourceNotFoundException", "Requested resource not found: Table: Nowhere not found"],
    ["DescribeContributorInsights", { TableName: "Things", IndexName: "ByX" }, "ResourceNotFoundException", "Requested resource not found: Index: ByX not found for table: Things"],
    ["GetResourcePolicy", { ResourceArn: arn("Nowhere") }, "ResourceNotFoundException", /Nowhere not found$/],
    ["DescribeBackup", { BackupArn: `${arn("Things")}/backup/01489173575360-b308cd7d` }, "BackupNotFoundException", `Backup not found: ${arn("Things")}/backup/01489173575360-b308cd7d`],
  ])
    it(`${call} does not know everything`, () => db.refuses(call, input, name, sentence));
  it("an index has no insights either", async () => assert.equal((await db.ask("DescribeContributorInsights", { TableName: "Things", IndexName: "ByG" })).ContributorInsightsStatus, "DISABLED"));

  for (const [what, more] of [["vectors", { VectorIndexes: [{ IndexName: "Near" }] }], ["a policy", { ResourcePolicy: "{}" }], ["another region", { GlobalTableSourceArn: arn("Things") }]])
    it(`a table is not made with ${what}`, async () => {
      const input = { TableName: "Refused", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p")], KeySchema: [HASH("p")], ...more };
      const { status, json } = await db.post("CreateTable", input);
      assert.deepEqual([status, json.message], [400, `${P}${Object.keys(more)[0]} is not available here`]);
    });
});
