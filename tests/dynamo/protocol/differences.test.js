// SPDX-License-Identifier: MIT
// What docs/differences.md says.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const MODULE = `return {
  table = "Guarded",
  partition_key = "p:S",
  before_write = function(old, new)
    if new and new.bad then return nil, "nothing bad" end
    if new and new.broken then error("it broke") end
    return new
  end,
}`;

describe("what differs", () => {
  let server, client;
  before(async () => {
    const scripts = mkdtempSync(join(tmpdir(), "perilune-scripts-"));
    writeFileSync(join(scripts, "guarded.lua"), MODULE);
    server = await startServer("--scripts", scripts);
    client = server.client;
    await makeTable(client, "Things");
  });
  after(() => server.stop());

  it("every region and key sees the same tables", async () => {
    const other = new DynamoDBClient({ endpoint: server.endpoint, region: "eu-west-1", credentials: { accessKeyId: "B", secretAccessKey: "c" } });
    const { TableNames } = await ask(other, "ListTables");
    assert.ok(TableNames.includes("Things"));
    other.destroy();
  });
  it("a created table is ACTIVE at once", async () => {
    await makeTable(client, "Quick");
    assert.equal((await ask(client, "DescribeTable", { TableName: "Quick" })).Table.TableStatus, "ACTIVE");
  });
  it("time to live may be switched again", async () => {
    for (const Enabled of [true, false, true])
      await ask(client, "UpdateTimeToLive", { TableName: "Things", TimeToLiveSpecification: { Enabled, AttributeName: "t" } });
  });
  it("BatchGetItem refuses two spellings of one key", async () => {
    await ask(client, "CreateTable", { TableName: "Numbers", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [{ AttributeName: "n", AttributeType: "N" }], KeySchema: [{ AttributeName: "n", KeyType: "HASH" }] });
    await refuses(client, "BatchGetItem", { RequestItems: { Numbers: { Keys: [{ n: { N: "1" } }, { n: { N: "1.0" } }] } } }, "ValidationException", "Provided list of item keys contains duplicates");
  });
  it("0e126 is 0", async () => {
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "zero" }, v: { N: "0e126" } } });
    assert.equal((await ask(client, "GetItem", { TableName: "Things", Key: { p: { S: "zero" } } })).Item.v.N, "0");
  });
  it("what AWS has around a table is empty", async () => {
    assert.deepEqual(await ask(client, "ListBackups"), { BackupSummaries: [] });
    assert.equal((await ask(client, "DescribeContributorInsights", { TableName: "Things" })).ContributorInsightsStatus, "DISABLED");
    await refuses(client, "UpdateTable", { TableName: "Things", ReplicaUpdates: [{ Create: { RegionName: "eu-west-1" } }] }, "ValidationException");
    await refuses(client, "ExportTableToPointInTime", { TableArn: "arn:aws:dynamodb:us-east-1:000000000000:table/Things", S3Bucket: "b" }, "UnknownOperationException");
  });
  it("a module's table keeps its module's definition", async () => {
    await refuses(client, "UpdateTable", { TableName: "Guarded", DeletionProtectionEnabled: true }, "ValidationException", /guarded\.lua/);
    await refuses(client, "DeleteTable", { TableName: "Guarded" }, "ValidationException", /guarded\.lua/);
  });
  it("a script's refusal has a type of its own", () =>
    refuses(client, "PutItem", { TableName: "Guarded", Item: { p: { S: "a" }, bad: { BOOL: true } } }, "WriteRejectedException", "nothing bad"));
  it("so has its failure", () =>
    refuses(client, "PutItem", { TableName: "Guarded", Item: { p: { S: "a" }, broken: { BOOL: true } } }, "ScriptErrorException", /it broke/));
  it("what it lets through is written", async () => {
    await ask(client, "PutItem", { TableName: "Guarded", Item: { p: { S: "fine" } } });
    assert.deepEqual((await ask(client, "GetItem", { TableName: "Guarded", Key: { p: { S: "fine" } } })).Item, { p: { S: "fine" } });
  });
});
