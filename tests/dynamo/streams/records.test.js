// SPDX-License-Identifier: MIT
// What a stream says of each kind of write, what it is silent about, and what its readers may not ask.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-dynamodb-streams";
import { useServer } from "../lib/suite.js";
import { L, M, N, NS, S, SS } from "../lib/values.js";

describe("a stream", () => {
  const db = useServer();
  const say = async (call, input = {}) => {
    const { $metadata, ...said } = await db.streams.send(new sdk[`${call}Command`](input));
    return said;
  };
  const VIEW = { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" } };
  const TableName = "Watched";
  let arn;
  before(async () => {
    await db.makeTable(TableName, undefined, { input: VIEW });
    arn = (await db.ask("DescribeTable", { TableName })).Table.LatestStreamArn;
  });
  const shards = async (StreamArn = arn) => {
    const found = [];
    let ExclusiveStartShardId;
    do {
      const { StreamDescription: d } = await say("DescribeStream", { StreamArn, ExclusiveStartShardId });
      found.push(...d.Shards);
      ExclusiveStartShardId = d.LastEvaluatedShardId;
    } while (ExclusiveStartShardId);
    return found;
  };
  const iterator = async (more) => (await say("GetShardIterator", { StreamArn: arn, ShardIteratorType: "LATEST", ...more })).ShardIterator;
  /** The records of what `write` does, whatever shard they are in. */
  async function recordsOf(write) {
    const iterators = await Promise.all((await shards()).map(({ ShardId }) => iterator({ ShardId })));
    await write();
    const pages = await Promise.all(iterators.map((ShardIterator) => say("GetRecords", { ShardIterator })));
    return pages.flatMap((page) => page.Records);
  }
  const names = (records) => records.map((one) => one.eventName).sort();
  const put = (p, more = {}) => db.ask("PutItem", { TableName, Item: { p: S(p), ...more } });
  const update = (p, UpdateExpression, ExpressionAttributeValues) => db.ask("UpdateItem", { TableName, Key: { p: S(p) }, UpdateExpression, ExpressionAttributeValues });
  const remove = (p) => db.ask("DeleteItem", { TableName, Key: { p: S(p) } });

  describe("tells of", () => {
    const FULL = { n: N(1), s: SS("a", "b"), m: M({ x: L(N(1)) }) };
    for (const [what, prepare, write, wanted] of [
      ["a new item, without an old image", undefined, () => put("new", FULL), [["INSERT", { p: S("new"), ...FULL }, undefined]]],
      ["an item that an update made", undefined, () => update("up", "SET n = :n", { ":n": N("1e2") }), [["INSERT", { p: S("up"), n: N(100) }, undefined]]],
      ["an item that was replaced, once", () => put("re", FULL), () => put("re", { n: N(2) }), [["MODIFY", { p: S("re"), n: N(2) }, { p: S("re"), ...FULL }]]],
      ["an item that was updated", () => put("ch", FULL), () => update("ch", "REMOVE m.x[0]"), [["MODIFY", { p: S("ch"), ...FULL, m: M({ x: L() }) }, { p: S("ch"), ...FULL }]]],
      ["an item that is gone, without a new image", () => put("go", FULL), () => remove("go"), [["REMOVE", undefined, { p: S("go"), ...FULL }]]],
      ["an item with nothing but its key", () => put("bare"), () => remove("bare"), [["REMOVE", undefined, { p: S("bare") }]]],
    ])
      it(what, async () => {
        await prepare?.();
        const records = await recordsOf(write);
        assert.deepEqual(records.map((one) => [one.eventName, one.dynamodb.NewImage, one.dynamodb.OldImage]), wanted);
        assert.equal(records[0].userIdentity, undefined);
        assert.ok(records[0].dynamodb.SizeBytes > 0);
        assert.ok(Math.abs(records[0].dynamodb.ApproximateCreationDateTime.getTime() - Date.now()) < 60_000);
      });
    it("each item of a batch", async () => {
      await put("batch0");
      const records = await recordsOf(() =>
        db.ask("BatchWriteItem", { RequestItems: { [TableName]: [...[1, 2, 3].map((i) => ({ PutRequest: { Item: { p: S(`batch${i}`) } } })), { DeleteRequest: { Key: { p: S("batch0") } } }] } }));
      assert.deepEqual(names(records), ["INSERT", "INSERT", "INSERT", "REMOVE"]);
      assert.equal(new Set(records.map((one) => one.eventID)).size, 4);
    });
    it("each item of a transaction, and not of its checks", async () => {
      const records = await recordsOf(() =>
        db.ask("TransactWriteItems", { TransactItems: [{ Put: { TableName, Item: { p: S("t1") } } }, { Put: { TableName, Item: { p: S("t2") } } }, { ConditionCheck: { TableName, Key: { p: S("t3") }, ConditionExpression: "attribute_not_exists(p)" } }] }));
      assert.deepEqual(names(records), ["INSERT", "INSERT"]);
    });
    it("what PartiQL writes", async () => {
      const records = await recordsOf(async () => {
        await db.ask("ExecuteStatement", { Statement: `INSERT INTO "${TableName}" VALUE {'p': 'ql', 'n': 1}` });
        await db.ask("ExecuteStatement", { Statement: `UPDATE "${TableName}" SET n = 2 WHERE p = 'ql'` });
        await db.ask("ExecuteStatement", { Statement: `DELETE FROM "${TableName}" WHERE p = 'ql'` });
      });
      assert.deepEqual(records.map((one) => one.eventName), ["INSERT", "MODIFY", "REMOVE"]);
    });
  });

  describe("is silent about", () => {
    const ITEM = { n: N(1), s: SS("a", "b"), k: NS(1, 2), m: M({ x: N(1), y: N(2) }) };
    before(() => put("same", ITEM));
    for (const [what, write] of [
      ["the same item", () => put("same", ITEM)],
      ["the same item in another order and spelling", () => put("same", { m: M({ y: N("2.0"), x: N("1e0") }), k: NS("2.0", "1"), s: SS("b", "a"), n: N("1.00") })],
      ["an attribute set to what it is", () => update("same", "SET n = :n", { ":n": N("1.0") })],
      ["the removal of what is not there", () => update("same", "REMOVE nothing")],
      ["an addition of nothing", () => update("same", "ADD s :s", { ":s": SS("a") })],
      ["an update without a change", () => update("same")],
      ["the deletion of what is not there", () => remove("never")],
      ["a write whose condition failed", () => db.ask("PutItem", { TableName, Item: { p: S("same") }, ConditionExpression: "attribute_not_exists(p)" }).catch(() => undefined)],
      ["a transaction that was cancelled", () => db.ask("TransactWriteItems", { TransactItems: [{ Put: { TableName, Item: { p: S("c") } } }, { ConditionCheck: { TableName, Key: { p: S("same") }, ConditionExpression: "attribute_not_exists(p)" } }] }).catch(() => undefined)],
      ["a write that was refused", () => update("same", "SET n.x = :n", { ":n": N(1) }).catch(() => undefined)],
    ])
      it(what, async () => assert.deepEqual(await recordsOf(write), []));
  });

  describe("describes", () => {
    it("itself", async () => {
      const { StreamDescription: d } = await say("DescribeStream", { StreamArn: arn });
      assert.deepEqual([d.StreamArn, d.StreamStatus, d.StreamViewType, d.TableName, d.KeySchema], [arn, "ENABLED", "NEW_AND_OLD_IMAGES", TableName, [{ AttributeName: "p", KeyType: "HASH" }]]);
      assert.equal(d.StreamLabel, arn.split("/stream/")[1]);
    });
    it("its shards, in the order of their names", async () => {
      const ids = (await shards()).map((one) => one.ShardId);
      assert.deepEqual(ids, [...ids].sort());
      assert.equal(new Set(ids).size, ids.length);
      for (const id of ids) assert.match(id, /^shardId-[0-9]{20}-[0-9a-f]{8}$/);
    });
    it("its shards page by page", async () => {
      const ids = [];
      let ExclusiveStartShardId;
      do {
        const { StreamDescription: d } = await say("DescribeStream", { StreamArn: arn, Limit: 10, ExclusiveStartShardId });
        assert.ok(d.Shards.length <= 10);
        ids.push(...d.Shards.map((one) => one.ShardId));
        ExclusiveStartShardId = d.LastEvaluatedShardId;
      } while (ExclusiveStartShardId);
      assert.deepEqual(ids, (await shards()).map((one) => one.ShardId));
    });
  });

  it("keeps the order of writes to one key", async () => {
    const records = await recordsOf(async () => {
      for (let i = 0; i < 50; i++) await put("ordered", { i: N(i) });
    });
    assert.deepEqual(records.map((one) => +one.dynamodb.NewImage.i.N), Array.from({ length: 50 }, (_, i) => i));
    for (let i = 1; i < 50; i++) assert.ok(BigInt(records[i].dynamodb.SequenceNumber) > BigInt(records[i - 1].dynamodb.SequenceNumber));
  });
  it("tells an item that expired from one that was deleted", async () => {
    await db.ask("UpdateTimeToLive", { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "until" } });
    const second = Math.floor(Date.now() / 1000);
    let iterators = await Promise.all((await shards()).map(({ ShardId }) => iterator({ ShardId })));
    const Item = { p: S("old"), until: N(second - 10) };
    await db.ask("PutItem", { TableName, Item });
    await put("kept", { until: S(String(second - 10)) });
    await put("ancient", { until: N(1) });
    const removed = [];
    while (removed.length === 0) {
      const pages = await Promise.all(iterators.map((ShardIterator) => say("GetRecords", { ShardIterator })));
      iterators = pages.map((page) => page.NextShardIterator);
      removed.push(...pages.flatMap((page) => page.Records).filter((one) => one.eventName === "REMOVE"));
    }
    assert.deepEqual(removed.map((one) => [one.dynamodb.OldImage, one.userIdentity]), [[Item, { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" }]]);
  });
  it("can still be read when its table is gone", async () => {
    await db.makeTable("Doomed", undefined, { input: VIEW });
    const { LatestStreamArn: StreamArn } = (await db.ask("DescribeTable", { TableName: "Doomed" })).Table;
    await db.ask("PutItem", { TableName: "Doomed", Item: { p: S("last") } });
    await db.ask("DeleteTable", { TableName: "Doomed" });
    assert.equal((await say("DescribeStream", { StreamArn })).StreamDescription.StreamStatus, "DISABLED");
    const records = [];
    for (const { ShardId } of await shards(StreamArn)) {
      const ShardIterator = await iterator({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
      records.push(...(await say("GetRecords", { ShardIterator })).Records);
    }
    assert.deepEqual(records.map((one) => one.dynamodb.Keys), [{ p: S("last") }]);
  });

  describe("refuses", () => {
    const fails = async (call, input, name, sentence) => {
      const error = await say(call, input).then(() => assert.fail("accepted"), (caught) => caught);
      assert.equal(error.name, name, `${error.name}: ${error.message}`);
      assert.equal(error.$metadata.httpStatusCode, 400);
      if (sentence) assert.match(error.message, sentence);
    };
    const known = async () => (await shards())[0].ShardId;
    const UNKNOWN = "shardId-99999999999999999999-ffffffff";
    for (const [what, call, input, name, sentence] of [
      ["a limit of 0 streams", "ListStreams", () => ({ Limit: 0 }), "ValidationException", /at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1$/],
      ["a limit of 101 streams", "ListStreams", () => ({ Limit: 101 }), "ValidationException", /at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100$/],
      ["a limit of 101 shards", "DescribeStream", () => ({ StreamArn: arn, Limit: 101 }), "ValidationException", /Member must have value less than or equal to 100$/],
      ["a name that is no ARN", "DescribeStream", () => ({ StreamArn: "x".repeat(40) }), "ValidationException"],
      ["a name that is too short", "DescribeStream", () => ({ StreamArn: "x" }), "ValidationException", /at 'streamArn' failed to satisfy constraint: Member must have length greater than or equal to 37$/],
      ["a stream that is not there", "DescribeStream", () => ({ StreamArn: arn.replace(/\d{4}-/, "1999-") }), "ResourceNotFoundException"],
      ["a shard that is not there", "GetShardIterator", () => ({ StreamArn: arn, ShardId: UNKNOWN, ShardIteratorType: "LATEST" }), "ResourceNotFoundException"],
      ["a kind of iterator that is none", "GetShardIterator", async () => ({ StreamArn: arn, ShardId: await known(), ShardIteratorType: "FIRST" }), "ValidationException", /at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: \[/],
      ["a place without its number", "GetShardIterator", async () => ({ StreamArn: arn, ShardId: await known(), ShardIteratorType: "AT_SEQUENCE_NUMBER" }), "ValidationException"],
      ["a number where there is no place", "GetShardIterator", async () => ({ StreamArn: arn, ShardId: await known(), ShardIteratorType: "LATEST", SequenceNumber: "000000000000000000001" }), "ValidationException"],
      ["an iterator that is none", "GetRecords", () => ({ ShardIterator: "nonsense" }), "ValidationException"],
      ["a limit of 0 records", "GetRecords", async () => ({ ShardIterator: await iterator({ ShardId: await known() }), Limit: 0 }), "ValidationException", /at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1$/],
      ["a limit of 1001 records", "GetRecords", async () => ({ ShardIterator: await iterator({ ShardId: await known() }), Limit: 1001 }), "ValidationException", /at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000$/],
    ])
      it(what, async () => fails(call, await input(), name, sentence));
  });
});
