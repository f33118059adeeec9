// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitUntilTableExists, waitUntilTableNotExists } from "@aws-sdk/client-dynamodb";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";
const S = (AttributeName) => ({ AttributeName, AttributeType: "S" });
const HASH = (AttributeName) => ({ AttributeName, KeyType: "HASH" });
const RANGE = (AttributeName) => ({ AttributeName, KeyType: "RANGE" });
const ALL = { ProjectionType: "ALL" };
const ON_DEMAND = { BillingMode: "PAY_PER_REQUEST" };
const arn = (name) => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;

describe("tables", () => {
  let server, client;
  before(async () => {
    server = await startServer();
    client = server.client;
  });
  after(() => server.stop());

  describe("CreateTable", () => {
    it("says CREATING, and waiters find it ACTIVE", async () => {
      const { TableDescription: d } = await ask(client, "CreateTable", {
        TableName: "Created", AttributeDefinitions: [S("p")], KeySchema: [HASH("p")],
        ProvisionedThroughput: { ReadCapacityUnits: 3, WriteCapacityUnits: 4 },
      });
      assert.equal(d.TableStatus, "CREATING");
      assert.equal(d.TableArn, arn("Created"));
      assert.match(d.TableId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.ok(Math.abs(d.CreationDateTime.getTime() - Date.now()) < 60000);
      assert.deepEqual(d.ProvisionedThroughput, { NumberOfDecreasesToday: 0, ReadCapacityUnits: 3, WriteCapacityUnits: 4 });
      const result = await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: "Created" });
      assert.equal(result.state, "SUCCESS");
    });
    it("cannot be done twice", async () => {
      await makeTable(client, "Twice");
      await refuses(client, "CreateTable", { TableName: "Twice", AttributeDefinitions: [S("p")], KeySchema: [HASH("p")], ...ON_DEMAND },
        "ResourceInUseException", /Table already exists: Twice/);
    });
    for (const [what, input, sentence] of [
      ["a name of two characters", { TableName: "ab" }, "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"],
      ["a name of 256 characters", { TableName: "x".repeat(256) }, /Member must have length less than or equal to 255$/],
      ["a name with a space", { TableName: "a b c" }, "1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"],
      ["no name", { TableName: undefined }, "The parameter 'TableName' is required but was not present in the request"],
      ["a type that is none", { AttributeDefinitions: [{ AttributeName: "p", AttributeType: "X" }] }, "1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]"],
      ["a kind of key that is none", { KeySchema: [{ AttributeName: "p", KeyType: "X" }] }, "1 validation error detected: Value 'X' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]"],
      ["no keys", { KeySchema: [] }, "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1"],
      ["no throughput", { BillingMode: undefined }, `${P}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`],
      ["throughput of nothing", { BillingMode: undefined, ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 1 } }, "1 validation error detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"],
      ["an attribute that is no key", { AttributeDefinitions: [S("p"), S("x")] }, `${P}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`],
      ["a key without a definition", { KeySchema: [HASH("p"), RANGE("x")] }, `${P}Some index key attributes are not defined in AttributeDefinitions. Keys: [p, x], AttributeDefinitions: [p]`],
      ["an empty list of local indexes", { LocalSecondaryIndexes: [] }, `${P}List of LocalSecondaryIndexes is empty`],
      ["an empty list of global indexes", { GlobalSecondaryIndexes: [] }, `${P}List of GlobalSecondaryIndexes is empty`],
      ["two indexes of one name", { AttributeDefinitions: [S("p"), S("g")], GlobalSecondaryIndexes: [{ IndexName: "Same", KeySchema: [HASH("g")], Projection: ALL }, { IndexName: "Same", KeySchema: [HASH("g")], Projection: ALL }] }, `${P}Duplicate index name: Same`],
      ["21 global indexes", { AttributeDefinitions: [S("p"), S("g")], GlobalSecondaryIndexes: Array.from({ length: 21 }, (_, i) => ({ IndexName: `Index${i}`, KeySchema: [HASH("g")], Projection: ALL })) }, `${P}GlobalSecondaryIndex count exceeds the per-table limit of 20`],
      ["6 local indexes", { AttributeDefinitions: [S("p"), S("s"), S("l")], KeySchema: [HASH("p"), RANGE("s")], LocalSecondaryIndexes: Array.from({ length: 6 }, (_, i) => ({ IndexName: `Index${i}`, KeySchema: [HASH("p"), RANGE("l")], Projection: ALL })) }, `${P}Number of LocalSecondaryIndexes exceeds per-table limit of 5`],
      ["five HASH keys", { AttributeDefinitions: ["p", "a", "b", "c", "d", "e"].map(S), GlobalSecondaryIndexes: [{ IndexName: "Many", KeySchema: ["a", "b", "c", "d", "e"].map(HASH), Projection: ALL }] }, `${P}The KeySchema exceeds the maximum allowed number of HASH key attributes`],
      ["a table class that is none", { TableClass: "GOLD" }, "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."],
      ["a stream of no view", { StreamSpecification: { StreamEnabled: true } }, `${P}Table is being created with a stream enabled, UpdateViewType is required`],
      ["a bad tag", { Tags: [{ Key: "a!", Value: "" }] }, "The Tag Key provided is invalid, Key: a!"],
    ])
      it(`refuses ${what}`, () =>
        refuses(client, "CreateTable", { TableName: "Refused", AttributeDefinitions: [S("p")], KeySchema: [HASH("p")], ...ON_DEMAND, ...input }, "ValidationException", sentence));
    it("takes 20 global and 5 local indexes", async () => {
      const GlobalSecondaryIndexes = Array.from({ length: 20 }, (_, i) => ({ IndexName: `Global${i}`, KeySchema: [HASH("g")], Projection: { ProjectionType: "KEYS_ONLY" } }));
      const LocalSecondaryIndexes = Array.from({ length: 5 }, (_, i) => ({ IndexName: `Local${i}`, KeySchema: [HASH("p"), RANGE("l")], Projection: ALL }));
      const { TableDescription: d } = await ask(client, "CreateTable", {
        TableName: "Indexed", AttributeDefinitions: ["p", "s", "g", "l"].map(S), KeySchema: [HASH("p"), RANGE("s")], ...ON_DEMAND, GlobalSecondaryIndexes, LocalSecondaryIndexes,
      });
      assert.equal(d.GlobalSecondaryIndexes.length, 20);
      assert.equal(d.LocalSecondaryIndexes.length, 5);
      assert.equal(d.GlobalSecondaryIndexes[0].IndexArn, `${arn("Indexed")}/index/Global0`);
    });
  });

  describe("DescribeTable and DeleteTable", () => {
    it("know a table by name and by ARN", async () => {
      await makeTable(client, "Known");
      assert.equal((await ask(client, "DescribeTable", { TableName: "Known" })).Table.TableStatus, "ACTIVE");
      assert.equal((await ask(client, "DescribeTable", { TableName: arn("Known") })).Table.TableName, "Known");
    });
    for (const call of ["DescribeTable", "DeleteTable"])
      it(`${call} names the table that is not there`, () =>
        refuses(client, call, { TableName: "None" }, "ResourceNotFoundException", "Requested resource not found: Table: None not found"));
    it("delete, and waiters find nothing", async () => {
      await makeTable(client, "Doomed");
      const { TableDescription: d } = await ask(client, "DeleteTable", { TableName: "Doomed" });
      assert.equal(d.TableStatus, "DELETING");
      assert.equal(d.KeySchema, undefined);
      const result = await waitUntilTableNotExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: "Doomed" });
      assert.equal(result.state, "SUCCESS");
    });
    it("do not delete what is protected", async () => {
      await makeTable(client, "Protected", undefined, { input: { DeletionProtectionEnabled: true } });
      await refuses(client, "DeleteTable", { TableName: "Protected" }, "ValidationException",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
      await ask(client, "UpdateTable", { TableName: "Protected", DeletionProtectionEnabled: false });
      await ask(client, "DeleteTable", { TableName: "Protected" });
    });
    it("count items", async () => {
      await makeTable(client, "Counted");
      for (let i = 0; i < 5; i++) await ask(client, "PutItem", { TableName: "Counted", Item: { p: { S: `${i}` } } });
      const { Table: d } = await ask(client, "DescribeTable", { TableName: "Counted" });
      assert.equal(d.ItemCount, 5);
      assert.equal(d.TableSizeBytes, 10);
    });
  });

  describe("ListTables", () => {
    it("pages in the order of names", async () => {
      for (const name of ["List.c", "List.a", "List.b"]) await makeTable(client, name);
      const first = await ask(client, "ListTables", { ExclusiveStartTableName: "List.", Limit: 2 });
      assert.deepEqual(first, { TableNames: ["List.a", "List.b"], LastEvaluatedTableName: "List.b" });
      const second = await ask(client, "ListTables", { ExclusiveStartTableName: "List.b", Limit: 1 });
      assert.equal(second.TableNames[0], "List.c");
    });
    for (const [Limit, sentence] of [
      [0, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"],
      [101, "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"],
    ])
      it(`refuses a limit of ${Limit}`, () => refuses(client, "ListTables", { Limit }, "ValidationException", sentence));
  });

  describe("UpdateTable", () => {
    before(() => makeTable(client, "Updated"));
    it("makes and drops an index on a live table", async () => {
      await ask(client, "PutItem", { TableName: "Updated", Item: { p: { S: "a" }, g: { S: "x" } } });
      const { TableDescription: d } = await ask(client, "UpdateTable", {
        TableName: "Updated", AttributeDefinitions: [S("g")],
        GlobalSecondaryIndexUpdates: [{ Create: { IndexName: "ByG", KeySchema: [HASH("g")], Projection: ALL } }],
      });
      assert.equal(d.TableStatus, "UPDATING");
      let index;
      do {
        [index] = (await ask(client, "DescribeTable", { TableName: "Updated" })).Table.GlobalSecondaryIndexes;
      } while (index.IndexStatus !== "ACTIVE");
      const { Items } = await ask(client, "Query", { TableName: "Updated", IndexName: "ByG", KeyConditionExpression: "g = :g", ExpressionAttributeValues: { ":g": { S: "x" } } });
      assert.deepEqual(Items, [{ p: { S: "a" }, g: { S: "x" } }]);
      await refuses(client, "PutItem", { TableName: "Updated", Item: { p: { S: "b" }, g: { N: "1" } } }, "ValidationException",
        `${P}Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG`);
      await ask(client, "UpdateTable", { TableName: "Updated", GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "ByG" } }] });
      assert.equal((await ask(client, "DescribeTable", { TableName: "Updated" })).Table.GlobalSecondaryIndexes, undefined);
    });
    it("switches the way of billing", async () => {
      await ask(client, "UpdateTable", { TableName: "Updated", BillingMode: "PROVISIONED", ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } });
      const { Table: d } = await ask(client, "DescribeTable", { TableName: "Updated" });
      assert.equal(d.BillingModeSummary.BillingMode, "PROVISIONED");
      assert.equal(d.ProvisionedThroughput.ReadCapacityUnits, 5);
      await refuses(client, "UpdateTable", { TableName: "Updated", ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } }, "ValidationException",
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.");
      await ask(client, "UpdateTable", { TableName: "Updated", ...ON_DEMAND });
    });
    it("wants to know what", () =>
      refuses(client, "UpdateTable", { TableName: "Updated" }, "ValidationException",
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"));
  });

  describe("tags", () => {
    before(() => makeTable(client, "Tagged", undefined, { input: { Tags: [{ Key: "born", Value: "with" }] } }));
    it("come and go", async () => {
      const ResourceArn = arn("Tagged");
      await ask(client, "TagResource", { ResourceArn, Tags: [{ Key: "a", Value: "1" }, { Key: "b", Value: "" }] });
      await ask(client, "UntagResource", { ResourceArn, TagKeys: ["a"] });
      const { Tags } = await ask(client, "ListTagsOfResource", { ResourceArn });
      assert.deepEqual(Tags, [{ Key: "born", Value: "with" }, { Key: "b", Value: "" }]);
    });
    it("are 50 at most", async () => {
      const Tags = Array.from({ length: 49 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
      await refuses(client, "TagResource", { ResourceArn: arn("Tagged"), Tags }, "ValidationException", "Number of Tags exceed the current limit for the provided ResourceArn");
    });
    it("belong to a table that is there", () =>
      refuses(client, "ListTagsOfResource", { ResourceArn: arn("None") }, "ResourceNotFoundException", `Requested resource not found: ResourceArn: ${arn("None")} not found`));
  });

  describe("time to live", () => {
    before(() => makeTable(client, "Expiring"));
    it("is switched on once, and described", async () => {
      const on = { TableName: "Expiring", TimeToLiveSpecification: { Enabled: true, AttributeName: "t" } };
      assert.deepEqual(await ask(client, "DescribeTimeToLive", { TableName: "Expiring" }), { TimeToLiveDescription: { TimeToLiveStatus: "DISABLED" } });
      assert.deepEqual(await ask(client, "UpdateTimeToLive", on), { TimeToLiveSpecification: { Enabled: true, AttributeName: "t" } });
      assert.deepEqual(await ask(client, "DescribeTimeToLive", { TableName: "Expiring" }), { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: "t" } });
      await refuses(client, "UpdateTimeToLive", on, "ValidationException", "TimeToLive is already enabled");
    });
  });

  it("DescribeLimits, DescribeEndpoints, DescribeContinuousBackups answer what tools expect", async () => {
    assert.deepEqual(await ask(client, "DescribeLimits"), {
      AccountMaxReadCapacityUnits: 80000, AccountMaxWriteCapacityUnits: 80000, TableMaxReadCapacityUnits: 40000, TableMaxWriteCapacityUnits: 40000,
    });
    assert.equal((await ask(client, "DescribeEndpoints")).Endpoints[0].Address, new URL(server.endpoint).host);
    await makeTable(client, "Backed");
    assert.equal((await ask(client, "DescribeContinuousBackups", { TableName: "Backed" })).ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, "DISABLED");
  });
});
