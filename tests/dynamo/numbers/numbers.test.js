// SPDX-License-Identifier: MIT
// A number is its value, wherever it stands: in keys, sets, conditions, sums, indexes, streams and statements.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, useServer } from "../lib/suite.js";
import { L, M, N, NS, S } from "../lib/values.js";

const zeros = (count) => "0".repeat(count);
const OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range";
const show = (number) => (number.length > 24 ? `${number.slice(0, 10)}...(${number.length})` : number);
const LARGEST = "9.9999999999999999999999999999999999999E+125", SMALLEST = "1E-130";
const SPELLINGS = ["1000", "1e3", "1000.0", "+1E+3", "0001000", "0.1e4", "10000e-1", "1000.", "1000.000e0"];

describe("a number's spelling", () => {
  const db = useServer();
  before(async () => {
    await db.ask("CreateTable", {
      TableName: "Numbers", BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [attribute("n", "N"), attribute("s", "N"), attribute("g", "N")],
      KeySchema: [{ AttributeName: "n", KeyType: "HASH" }, { AttributeName: "s", KeyType: "RANGE" }],
      GlobalSecondaryIndexes: [index("ByG", "g", "s")],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    });
  });
  const table = { TableName: "Numbers" };
  const ITEM = { n: N(1000), s: N("-0.5"), g: N(1000), v: N(1000), set: NS(1000), l: L(N(1000)) };
  const key = (n) => ({ n: N(n), s: N("-5e-1") });
  const again = () => db.ask("PutItem", { ...table, Item: ITEM });

  for (const n of SPELLINGS) {
    it(`${n} is put as a key over another`, async () => {
      await db.ask("PutItem", { ...table, Item: { ...ITEM, ...key(n), g: N(n), v: N(n), set: NS(n), l: L(N(n)) } });
      const { Items } = await db.ask("Scan", table);
      assert.deepEqual(Items, [ITEM]);
    });
    it(`${n} is got as a key`, async () => assert.deepEqual((await db.ask("GetItem", { ...table, Key: key(n) })).Item, ITEM));
    it(`${n} is queried as a key`, async () =>
      assert.equal((await db.ask("Query", { ...table, KeyConditionExpression: "n = :n AND s = :s", ExpressionAttributeValues: { ":n": N(n), ":s": N("-.50") } })).Count, 1));
    it(`${n} is queried in an index`, async () =>
      assert.equal((await db.ask("Query", { ...table, IndexName: "ByG", KeyConditionExpression: "g = :n", ExpressionAttributeValues: { ":n": N(n) } })).Count, 1));
    it(`${n} is compared`, async () => {
      const values = { ":n": N(n), ":set": NS(n), ":l": L(N(n)) };
      for (const condition of ["v = :n", "v <= :n", "NOT v < :n", "v BETWEEN :n AND :n", "v IN (:n)", "contains(#s, :n)", "contains(l, :n)", "#s = :set", "l = :l"])
        assert.equal((await db.ask("Scan", {
          ...table, FilterExpression: condition, ExpressionAttributeValues: Object.fromEntries(Object.entries(values).filter(([name]) => new RegExp(`${name}\\b`).test(condition))),
          ExpressionAttributeNames: condition.includes("#s") ? { "#s": "set" } : undefined,
        })).Count, 1, condition);
    });
    it(`${n} is taken from a set`, async () => {
      const { Attributes } = await db.ask("UpdateItem", { ...table, Key: key(1000), UpdateExpression: "DELETE #s :s", ExpressionAttributeNames: { "#s": "set" }, ExpressionAttributeValues: { ":s": NS(n) }, ReturnValues: "ALL_NEW" });
      assert.equal(Attributes.set, undefined);
      await again();
    });
    it(`${n} is not added to a set twice`, async () => {
      const { Attributes } = await db.ask("UpdateItem", { ...table, Key: key(1000), UpdateExpression: "ADD #s :s", ExpressionAttributeNames: { "#s": "set" }, ExpressionAttributeValues: { ":s": NS(n) }, ReturnValues: "UPDATED_NEW" });
      assert.deepEqual(Attributes, { set: NS(1000) });
    });
    if (n !== "1000.")
      it(`${n} is written in a statement`, async () =>
        assert.deepEqual((await db.ask("ExecuteStatement", { Statement: `SELECT v FROM Numbers WHERE n = ${n} AND s = -0.5 AND v = ${n} AND contains("set", ${n})` })).Items, [{ v: N(1000) }]));
    if (n !== "1000")
      it(`${n} beside 1000 is one key twice`, () =>
        db.invalid("BatchWriteItem", { RequestItems: { Numbers: [{ PutRequest: { Item: key(1000) } }, { DeleteRequest: { Key: key(n) } }] } }, "Provided list of item keys contains duplicates"));
    if (n !== "1000")
      it(`${n} beside 1000 is one item twice`, () =>
        db.invalid("TransactWriteItems", { TransactItems: [{ Put: { ...table, Item: key(1000) } }, { Delete: { ...table, Key: key(n) } }] }, "Transaction request cannot include multiple operations on one item"));
  }
  it("changes nothing in the stream", async () => {
    const { Streams } = await db.streams.send(new (await import("@aws-sdk/client-dynamodb-streams")).ListStreamsCommand({}));
    const { DescribeStreamCommand, GetShardIteratorCommand, GetRecordsCommand } = await import("@aws-sdk/client-dynamodb-streams");
    await db.ask("PutItem", { ...table, Item: { ...ITEM, n: N("5e-1"), v: N("05.50") } });
    await db.ask("PutItem", { ...table, Item: { ...ITEM, n: N(".50"), v: N("55e-1") } });
    const { StreamArn } = Streams[0];
    const { StreamDescription } = await db.streams.send(new DescribeStreamCommand({ StreamArn }));
    const seen = [];
    for (const { ShardId } of StreamDescription.Shards) {
      const { ShardIterator } = await db.streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
      for (const { eventName, dynamodb } of (await db.streams.send(new GetRecordsCommand({ ShardIterator }))).Records)
        if (dynamodb.Keys.n.N === "0.5") seen.push([eventName, dynamodb.NewImage.v.N]);
    }
    assert.deepEqual(seen, [["INSERT", "5.5"]]);
  });
});

describe("numbers that sort", () => {
  const db = useServer();
  const VALUES = [`-${LARGEST}`, "-1e125", "-123456789012345678901234567890", "-1001", "-1000.5", "-1000", "-100", "-10", "-9", "-1.5", "-1", "-0.5", "-0.05", "-1e-50", `-${SMALLEST}`,
    "0", SMALLEST, "1e-50", "0.05", "0.5", "1", `1.${zeros(36)}1`, "1.5", "9", "10", "99.99", "100", "1000", "1000.5", "1001", "123456789012345678901234567890", "1e125", LARGEST];
  before(async () => {
    await db.makeTable("Sorted", "N");
    const shuffled = VALUES.map((_, i) => VALUES[(i * 13) % VALUES.length]);
    for (let i = 0; i < shuffled.length; i += 25)
      await db.ask("BatchWriteItem", { RequestItems: { Sorted: shuffled.slice(i, i + 25).map((s) => ({ PutRequest: { Item: { p: S("a"), s: N(s), i: N(VALUES.indexOf(s)) } } })) } });
  });
  const query = async (more, values = {}) => (await db.ask("Query", { TableName: "Sorted", KeyConditionExpression: "p = :p", ...more, ExpressionAttributeValues: { ":p": S("a"), ...values } }));
  const places = ({ Items }) => Items.map(({ i }) => Number(i.N));
  const all = VALUES.map((_, i) => i);

  it("do so by their value", async () => assert.deepEqual(places(await query({})), all));
  it("do so downward", async () => assert.deepEqual(places(await query({ ScanIndexForward: false })), [...all].reverse()));
  for (const Limit of [1, 7])
    it(`do so ${Limit} at a time`, async () => {
      const seen = [];
      let ExclusiveStartKey;
      do {
        const said = await query({ Limit, ExclusiveStartKey });
        seen.push(...places(said));
        ExclusiveStartKey = said.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      assert.deepEqual(seen, all);
    });
  for (const [i, s] of VALUES.entries())
    it(`${show(s)} parts them`, async () => {
      assert.deepEqual(places(await query({ KeyConditionExpression: "p = :p AND s < :s" }, { ":s": N(s) })), all.slice(0, i));
      assert.deepEqual(places(await query({ KeyConditionExpression: "p = :p AND s = :s" }, { ":s": N(s) })), [i]);
      assert.deepEqual(places(await query({ KeyConditionExpression: "p = :p AND s > :s" }, { ":s": N(s) })), all.slice(i + 1));
      assert.deepEqual(places(await db.ask("Scan", { TableName: "Sorted", FilterExpression: "s >= :s", ExpressionAttributeValues: { ":s": N(s) } })), all.slice(i));
    });
});

describe("sums", () => {
  const db = useServer();
  before(() => db.makeTable("Sums"));
  const Key = { p: S("a") };
  const start = (n) => db.ask("PutItem", { TableName: "Sums", Item: { ...Key, n: N(n), m: M({ x: N(n) }) } });
  const WAYS = [
    ["SET +", (by) => ["UpdateItem", { TableName: "Sums", Key, UpdateExpression: "SET n = n + :v", ExpressionAttributeValues: { ":v": N(by) }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.n.N],
    ["SET + the other way round", (by) => ["UpdateItem", { TableName: "Sums", Key, UpdateExpression: "SET n = :v + n", ExpressionAttributeValues: { ":v": N(by) }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.n.N],
    ["SET - the opposite", (by) => ["UpdateItem", { TableName: "Sums", Key, UpdateExpression: "SET m.x = m.x - :v", ExpressionAttributeValues: { ":v": N(by.startsWith("-") ? by.slice(1) : `-${by}`) }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.m.M.x.N],
    ["ADD", (by) => ["UpdateItem", { TableName: "Sums", Key, UpdateExpression: "ADD n :v", ExpressionAttributeValues: { ":v": N(by) }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.n.N],
    ["ADD inside", (by) => ["UpdateItem", { TableName: "Sums", Key, UpdateExpression: "ADD m.x :v", ExpressionAttributeValues: { ":v": N(by) }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.m.M.x.N],
    ["the old ADD", (by) => ["UpdateItem", { TableName: "Sums", Key, AttributeUpdates: { n: { Action: "ADD", Value: N(by) } }, ReturnValues: "UPDATED_NEW" }], (said) => said.Attributes.n.N],
    ["a statement", (by) => ["ExecuteStatement", { Statement: "UPDATE Sums SET n = n + ? WHERE p = 'a' RETURNING MODIFIED NEW *", Parameters: [N(by)] }], (said) => said.Items[0].n.N],
  ];
  for (const [way, make, read] of WAYS) {
    for (const [n, by, sum] of [
      ["0.1", "0.2", "0.3"], ["5", "-5", "0"], ["9007199254740993", "1", "9007199254740994"], ["1e125", "8e125", `9${zeros(125)}`], ["9e125", "-9e125", "0"],
      ["2e-130", "-1e-130", `0.${zeros(129)}1`], ["1", "1e-37", `1.${zeros(36)}1`], ["99999999999999999999999999999999999999", "1", `1${zeros(38)}`], ["-0.001", "1000", "999.999"],
    ])
      it(`by ${way}: ${n} and ${by} are ${show(sum)}`, async () => {
        await start(n);
        assert.equal(read(await db.ask(...make(by))), sum);
      });
    for (const [n, by, sentence] of [["9e125", "1e125", OVERFLOW], ["-9e125", "-1e125", OVERFLOW], ["1e50", "1", OVERFLOW], ["1", "1e-38", OVERFLOW], [LARGEST, "1e125", OVERFLOW], ["1e125", "1e-130", OVERFLOW]])
      it(`by ${way}: ${show(n)} and ${by} are too much`, async () => {
        await start(n);
        const [call, input] = make(by);
        await db.invalid(call, input, sentence);
      });
  }
  it("are refused for a number too small that they are given", () => db.invalid("UpdateItem", WAYS[0][1]("1e-131")[1], `ExpressionAttributeValues contains invalid value: ${UNDERFLOW} for key :v`));
});
