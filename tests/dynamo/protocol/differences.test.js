// SPDX-License-Identifier: MIT
// What docs/differences.md says.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DescribeStreamCommand } from "@aws-sdk/client-dynamodb-streams";
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
  it("throughput may be lowered again and again", async () => {
    const units = (count) => ({ ReadCapacityUnits: count, WriteCapacityUnits: count });
    await makeTable(client, "Lowered", undefined, { input: { BillingMode: "PROVISIONED", ProvisionedThroughput: units(20) } });
    for (let count = 19; count > 9; count--) await ask(client, "UpdateTable", { TableName: "Lowered", ProvisionedThroughput: units(count) });
    assert.equal((await ask(client, "DescribeTable", { TableName: "Lowered" })).Table.ProvisionedThroughput.ReadCapacityUnits, 10);
  });
  it("counts of items are of now", async () => {
    await makeTable(client, "Counted");
    for (const [p, count] of [["a", 1], ["b", 2], ["a", 2]]) {
      await ask(client, "PutItem", { TableName: "Counted", Item: { p: { S: p } } });
      const { ItemCount, TableSizeBytes } = (await ask(client, "DescribeTable", { TableName: "Counted" })).Table;
      assert.deepEqual([ItemCount, TableSizeBytes], [count, count * 2]);
    }
  });
  it("an expired item goes within seconds", async () => {
    await makeTable(client, "Expiring");
    await ask(client, "UpdateTimeToLive", { TableName: "Expiring", TimeToLiveSpecification: { Enabled: true, AttributeName: "t" } });
    await ask(client, "PutItem", { TableName: "Expiring", Item: { p: { S: "a" }, t: { N: String(Math.floor(Date.now() / 1000) - 10) } } });
    const until = Date.now() + 30000;
    while ((await ask(client, "DescribeTable", { TableName: "Expiring" })).Table.ItemCount > 0 && Date.now() < until) await sleep(50);
    assert.ok(Date.now() < until);
  });
  it("what bills, stores and limits in AWS is kept and given back", async () => {
    await makeTable(client, "Kept", undefined, {
      input: {
        TableClass: "STANDARD_INFREQUENT_ACCESS", Tags: [{ Key: "a", Value: "b" }],
        OnDemandThroughput: { MaxReadRequestUnits: 1, MaxWriteRequestUnits: 1 }, WarmThroughput: { ReadUnitsPerSecond: 15000, WriteUnitsPerSecond: 5000 },
      },
    });
    const { TableClassSummary, OnDemandThroughput, WarmThroughput, TableArn } = (await ask(client, "DescribeTable", { TableName: "Kept" })).Table;
    assert.equal(TableClassSummary.TableClass, "STANDARD_INFREQUENT_ACCESS");
    assert.deepEqual(OnDemandThroughput, { MaxReadRequestUnits: 1, MaxWriteRequestUnits: 1 });
    assert.deepEqual(WarmThroughput, { ReadUnitsPerSecond: 15000, WriteUnitsPerSecond: 5000, Status: "ACTIVE" });
    assert.deepEqual((await ask(client, "ListTagsOfResource", { ResourceArn: TableArn })).Tags, [{ Key: "a", Value: "b" }]);
    for (let i = 0; i < 20; i++) await ask(client, "PutItem", { TableName: "Kept", Item: { p: { S: "a" }, i: { N: String(i) } } });
  });
  it("no definition holds a zero character", async () => {
    const zero = "a\0b";
    const refused = (call, input) => refuses(client, call, input, "ValidationException", "a table's definition holds no zero characters");
    await refused("CreateTable", { TableName: "Zero", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [{ AttributeName: zero, AttributeType: "S" }], KeySchema: [{ AttributeName: zero, KeyType: "HASH" }] });
    await makeTable(client, "Whole");
    await refused("UpdateTimeToLive", { TableName: "Whole", TimeToLiveSpecification: { Enabled: true, AttributeName: zero } });
    await ask(client, "PutItem", { TableName: "Whole", Item: { p: { S: zero }, [zero]: { S: zero } } });
    assert.deepEqual((await ask(client, "GetItem", { TableName: "Whole", Key: { p: { S: zero } } })).Item, { p: { S: zero }, [zero]: { S: zero } });
  });
  it("a description has an order of its own", async () => {
    const key = (AttributeName, KeyType = "HASH") => ({ AttributeName, KeyType });
    const index = (IndexName, name) => ({ IndexName, KeySchema: [key(name)], Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["z", "y"] } });
    await ask(client, "CreateTable", {
      TableName: "Ordered", BillingMode: "PAY_PER_REQUEST", KeySchema: [key("p")],
      AttributeDefinitions: ["h", "g", "p"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      GlobalSecondaryIndexes: [index("Second", "h"), index("First", "g")],
    });
    const { AttributeDefinitions, GlobalSecondaryIndexes } = (await ask(client, "DescribeTable", { TableName: "Ordered" })).Table;
    assert.deepEqual(AttributeDefinitions.map((one) => one.AttributeName), ["p", "g", "h"]);
    assert.deepEqual(GlobalSecondaryIndexes.map((one) => one.IndexName), ["First", "Second"]);
    assert.deepEqual(new Set(GlobalSecondaryIndexes[0].Projection.NonKeyAttributes), new Set(["y", "z"]));
  });
  it("a scan counts what it reads, and at least one unit", async () => {
    await makeTable(client, "Scanned");
    const units = async (ConsistentRead) => (await ask(client, "Scan", { TableName: "Scanned", ConsistentRead, ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.CapacityUnits;
    assert.deepEqual([await units(true), await units(false)], [1, 0.5]);
    await ask(client, "PutItem", { TableName: "Scanned", Item: { p: { S: "a" }, v: { S: "x".repeat(9000) } } });
    assert.deepEqual([await units(true), await units(false)], [3, 1.5]);
  });
  it("size() of a string counts its characters", async () => {
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "long" }, v: { S: "é𝄞" } } });
    const condition = { TableName: "Things", Key: { p: { S: "long" } }, UpdateExpression: "SET w = :w", ConditionExpression: "size(v) = :w" };
    await ask(client, "UpdateItem", { ...condition, ExpressionAttributeValues: { ":w": { N: "2" } } });
  });
  it("an item is measured in one way by all writes", async () => {
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "m" }, v: { S: "x".repeat(409600 - 2 - 1 - 3) } } });
    await ask(client, "UpdateItem", { TableName: "Things", Key: { p: { S: "m" } }, UpdateExpression: "SET w = :w", ExpressionAttributeValues: { ":w": { N: "1" } } });
  });
  it("a SELECT of a nested path keeps what leads there", async () => {
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "nested" }, a: { M: { b: { N: "1" }, c: { N: "2" } } } } });
    const { Items } = await ask(client, "ExecuteStatement", { Statement: "SELECT a.b FROM Things WHERE p = 'nested'" });
    assert.deepEqual(Items, [{ a: { M: { b: { N: "1" } } } }]);
  });
  it("a reserved word is a name in double quotes", async () => {
    await refuses(client, "ExecuteStatement", { Statement: "SELECT date FROM Things" }, "ValidationException", /found date$/);
    await ask(client, "ExecuteStatement", { Statement: 'SELECT "date" FROM Things' });
  });
  it("rows of several partitions come in the order of the statement", async () => {
    await makeTable(client, "Pairs", "N");
    for (const [p, s] of [["a", 1], ["a", 2], ["b", 1], ["b", 2]]) await ask(client, "PutItem", { TableName: "Pairs", Item: { p: { S: p }, s: { N: String(s) } } });
    const { Items } = await ask(client, "ExecuteStatement", { Statement: "SELECT * FROM Pairs WHERE p IN ['b', 'a'] ORDER BY s DESC" });
    assert.deepEqual(Items.map(({ p, s }) => p.S + s.N), ["b2", "b1", "a2", "a1"]);
  });
  it("shards have no parents and no children", async () => {
    await makeTable(client, "Streamed", undefined, { input: { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } } });
    const { LatestStreamArn: StreamArn } = (await ask(client, "DescribeTable", { TableName: "Streamed" })).Table;
    const describe = async (more) => (await server.streams.send(new DescribeStreamCommand({ StreamArn, ...more }))).StreamDescription.Shards;
    const shards = await describe();
    assert.deepEqual(new Set(shards.flatMap(Object.keys)), new Set(["ShardId", "SequenceNumberRange"]));
    assert.deepEqual(await describe({ ShardFilter: { Type: "CHILD_SHARDS", ShardId: shards[0].ShardId } }), []);
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
    await refuses(client, "CreateTable", { TableName: "Vectors", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [{ AttributeName: "p", AttributeType: "S" }], KeySchema: [{ AttributeName: "p", KeyType: "HASH" }], ResourcePolicy: "{}" }, "ValidationException");
    await refuses(client, "CreateBackup", { TableName: "Things", BackupName: "abc" }, "UnknownOperationException");
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
