// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-dynamodb-streams";
import { ask, makeTable } from "../lib/check.js";
import { startServer } from "../lib/server.js";

describe("streams", () => {
  let server, client;
  const say = async (call, input = {}) => {
    const { $metadata, ...said } = await server.streams.send(new sdk[`${call}Command`](input));
    return said;
  };
  const streamOf = async (TableName) => (await say("ListStreams", { TableName })).Streams[0].StreamArn;
  const shardsOf = async (StreamArn) => (await say("DescribeStream", { StreamArn })).StreamDescription.Shards;
  const iterator = async (StreamArn, ShardId, ShardIteratorType, more = {}) =>
    (await say("GetShardIterator", { StreamArn, ShardId, ShardIteratorType, ...more })).ShardIterator;
  const readAll = async (StreamArn) => {
    const records = [];
    for (const { ShardId } of await shardsOf(StreamArn))
      records.push(...(await say("GetRecords", { ShardIterator: await iterator(StreamArn, ShardId, "TRIM_HORIZON") })).Records);
    return records;
  };
  const put = (TableName, p, v) => ask(client, "PutItem", { TableName, Item: { p: { S: p }, v: { N: v } } });
  const makeStream = (name, StreamViewType) => makeTable(client, name, undefined, { input: { StreamSpecification: { StreamEnabled: true, StreamViewType } } });

  before(async () => {
    server = await startServer();
    client = server.client;
  });
  after(() => server.stop());

  for (const [view, images] of [
    ["KEYS_ONLY", []], ["NEW_IMAGE", ["NewImage"]], ["OLD_IMAGE", ["OldImage"]], ["NEW_AND_OLD_IMAGES", ["NewImage", "OldImage"]],
  ])
    it(`show ${view}`, async () => {
      await makeStream(view, view);
      await put(view, "a", "1");
      await put(view, "a", "1.0");
      await put(view, "a", "2");
      await ask(client, "DeleteItem", { TableName: view, Key: { p: { S: "a" } } });
      await ask(client, "DeleteItem", { TableName: view, Key: { p: { S: "none" } } });
      const records = await readAll(await streamOf(view));
      assert.deepEqual(records.map((record) => record.eventName), ["INSERT", "MODIFY", "REMOVE"]);
      const [, modify] = records;
      assert.equal(modify.eventSource, "aws:dynamodb");
      assert.equal(modify.eventVersion, "1.1");
      assert.equal(modify.awsRegion, "us-east-1");
      assert.deepEqual(modify.dynamodb.Keys, { p: { S: "a" } });
      assert.equal(modify.dynamodb.StreamViewType, view);
      assert.match(modify.dynamodb.SequenceNumber, /^[0-9]{21,40}$/);
      assert.deepEqual(Object.keys(modify.dynamodb).filter((key) => key.endsWith("Image")).sort(), images);
      if (images.includes("NewImage")) assert.deepEqual(modify.dynamodb.NewImage, { p: { S: "a" }, v: { N: "2" } });
      if (images.includes("OldImage")) assert.deepEqual(modify.dynamodb.OldImage, { p: { S: "a" }, v: { N: "1" } });
      assert.ok(BigInt(records[2].dynamodb.SequenceNumber) > BigInt(records[1].dynamodb.SequenceNumber));
    });

  it("go on from where a reader was", async () => {
    await makeStream("Going", "NEW_IMAGE");
    const arn = await streamOf("Going");
    await put("Going", "a", "1");
    const [first] = await readAll(arn);
    let shard;
    for (const { ShardId } of await shardsOf(arn)) {
      const { Records } = await say("GetRecords", { ShardIterator: await iterator(arn, ShardId, "TRIM_HORIZON") });
      if (Records.length > 0) shard = ShardId;
    }
    const latest = await iterator(arn, shard, "LATEST");
    await put("Going", "a", "2");
    await put("Going", "a", "3");
    const page = await say("GetRecords", { ShardIterator: latest, Limit: 1 });
    assert.deepEqual(page.Records.map((record) => record.dynamodb.NewImage.v.N), ["2"]);
    const next = await say("GetRecords", { ShardIterator: page.NextShardIterator });
    assert.deepEqual(next.Records.map((record) => record.dynamodb.NewImage.v.N), ["3"]);
    assert.deepEqual((await say("GetRecords", { ShardIterator: next.NextShardIterator })).Records, []);
    const { SequenceNumber } = first.dynamodb;
    const count = async (type) => (await say("GetRecords", { ShardIterator: await iterator(arn, shard, type, { SequenceNumber }) })).Records.length;
    assert.equal(await count("AT_SEQUENCE_NUMBER"), 3);
    assert.equal(await count("AFTER_SEQUENCE_NUMBER"), 2);
  });

  it("end, shard by shard, when they are switched off", async () => {
    await makeStream("Ending", "KEYS_ONLY");
    const arn = await streamOf("Ending");
    for (const p of ["a", "b", "c", "d"]) await put("Ending", p, "1");
    await put("Ending", "a", "2");
    for (const { SequenceNumberRange } of await shardsOf(arn)) assert.deepEqual(Object.keys(SequenceNumberRange), ["StartingSequenceNumber"]);
    await ask(client, "UpdateTable", { TableName: "Ending", StreamSpecification: { StreamEnabled: false } });
    const { StreamStatus, Shards } = (await say("DescribeStream", { StreamArn: arn })).StreamDescription;
    assert.equal(StreamStatus, "DISABLED");
    let records = 0;
    for (const { ShardId, SequenceNumberRange } of Shards) {
      const { Records, NextShardIterator } = await say("GetRecords", { ShardIterator: await iterator(arn, ShardId, "TRIM_HORIZON") });
      const last = Records.at(-1)?.dynamodb.SequenceNumber ?? SequenceNumberRange.StartingSequenceNumber;
      assert.equal(SequenceNumberRange.EndingSequenceNumber, last);
      if (Records.length > 0) {
        const after = await iterator(arn, ShardId, "AFTER_SEQUENCE_NUMBER", { SequenceNumber: last });
        assert.deepEqual(await say("GetRecords", { ShardIterator: after }), { Records: [] });
        assert.ok(NextShardIterator);
      }
      records += Records.length;
    }
    assert.equal(records, 5);
    const page = (await say("DescribeStream", { StreamArn: arn, Limit: 2, ExclusiveStartShardId: Shards[2].ShardId })).StreamDescription;
    assert.deepEqual(page.Shards, Shards.slice(3, 5));
    assert.equal(page.LastEvaluatedShardId, Shards[4].ShardId);
  });
  it("have no shards behind the last", async () => {
    await makeStream("Last", "KEYS_ONLY");
    const arn = await streamOf("Last");
    const shards = await shardsOf(arn);
    const behind = shards.at(-1).ShardId.replace(/-[0-9]{20}-/, "-00000000000000005000-");
    for (const ExclusiveStartShardId of [shards.at(-1).ShardId, behind])
      assert.deepEqual((await say("DescribeStream", { StreamArn: arn, ExclusiveStartShardId })).StreamDescription.Shards, []);
  });

  it("are listed by table", async () => {
    await makeTable(client, "Quiet");
    assert.deepEqual(await say("ListStreams", { TableName: "Quiet" }), { Streams: [] });
    const first = await say("ListStreams", { Limit: 1 });
    const second = await say("ListStreams", { Limit: 1, ExclusiveStartStreamArn: first.LastEvaluatedStreamArn });
    assert.notEqual(first.Streams[0].StreamArn, second.Streams[0].StreamArn);
  });

  it("are not read from a place that is gone", async () => {
    const brief = await startServer("--stream-retention-ms", "100");
    try {
      const read = async (call, input) => brief.streams.send(new sdk[`${call}Command`](input));
      await makeTable(brief.client, "Brief", undefined, { input: { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } } });
      const { StreamArn } = (await read("ListStreams", {})).Streams[0];
      const write = (v) => ask(brief.client, "PutItem", { TableName: "Brief", Item: { p: { S: "a" }, v: { N: String(v) } } });
      const oldest = async (ShardId) => {
        const { ShardIterator } = await read("GetShardIterator", { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
        return (await read("GetRecords", { ShardIterator })).Records[0]?.dynamodb.SequenceNumber;
      };
      await write(0);
      let shard, first;
      for (const { ShardId } of (await read("DescribeStream", { StreamArn })).StreamDescription.Shards) {
        first = await oldest(ShardId);
        shard = ShardId;
        if (first) break;
      }
      for (let v = 1; (await oldest(shard)) === first; v++) await write(v);
      await assert.rejects(read("GetShardIterator", { StreamArn, ShardId: shard, ShardIteratorType: "AT_SEQUENCE_NUMBER", SequenceNumber: first }), { name: "TrimmedDataAccessException" });
      const { ShardIterator } = await read("GetShardIterator", { StreamArn, ShardId: shard, ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: String(BigInt(first) + 1000000n) });
      assert.deepEqual((await read("GetRecords", { ShardIterator })).Records, []);
    } finally {
      await brief.stop();
    }
  });

  it("belong to a table that is there", () =>
    assert.rejects(say("DescribeStream", { StreamArn: "arn:aws:dynamodb:us-east-1:000000000000:table/None/stream/2020-01-01T00:00:00.000" }), { name: "ResourceNotFoundException" }));
});
