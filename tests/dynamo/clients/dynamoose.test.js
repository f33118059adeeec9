// SPDX-License-Identifier: MIT
// Dynamoose: it makes its tables, waits for them, compares them with its schemas, and brings them up to date.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import dynamoose from "dynamoose";
import { useServer } from "../lib/suite.js";

describe("Dynamoose", () => {
  const db = useServer();
  let Cat, client;
  after(() => client.destroy());
  before(() => {
    client = new DynamoDB({ endpoint: db.endpoint, region: "us-east-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, maxAttempts: 1 });
    dynamoose.aws.ddb.set(client);
    const schema = new dynamoose.Schema(
      {
        owner: { type: String, hashKey: true },
        name: { type: String, rangeKey: true },
        breed: { type: String, index: { name: "byBreed", type: "global" } },
        lives: Number,
        born: Date,
        toys: { type: Array, schema: [String] },
        chip: { type: Object, schema: { id: String, scanned: Boolean } },
        friends: { type: Set, schema: [String] },
      },
      { timestamps: true },
    );
    Cat = dynamoose.model("Cat", schema);
    new dynamoose.Table("Cats", [Cat], { create: true, update: true, waitForActive: { enabled: true, check: { frequency: 50 } }, throughput: "ON_DEMAND" });
  });

  it("makes its table with the first document", async () => {
    await Cat.create({ owner: "eva", name: "Mia", breed: "tabby", lives: 9, born: new Date(1e12), toys: ["mouse"], chip: { id: "x", scanned: true }, friends: new Set(["Tom"]) });
    const { Table } = await db.ask("DescribeTable", { TableName: "Cats" });
    assert.deepEqual(Table.GlobalSecondaryIndexes.map((one) => one.IndexName), ["byBreed"]);
  });
  it("gets what it made", async () => {
    const cat = await Cat.get({ owner: "eva", name: "Mia" });
    assert.deepEqual([cat.lives, cat.born.getTime(), cat.toys, cat.chip.scanned, [...cat.friends]], [9, 1e12, ["mouse"], true, ["Tom"]]);
  });
  it("creates once", () => assert.rejects(Cat.create({ owner: "eva", name: "Mia" }), /The conditional request failed/));
  it("updates", async () => {
    const cat = await Cat.update({ owner: "eva", name: "Mia" }, { $ADD: { lives: -1 }, $SET: { breed: "siam" }, $REMOVE: ["born"] });
    assert.deepEqual([cat.lives, cat.breed, cat.born], [8, "siam", undefined]);
  });
  it("puts, gets and deletes many", async () => {
    const said = await Cat.batchPut(Array.from({ length: 25 }, (_, i) => ({ owner: "bob", name: `c${String(i).padStart(2, "0")}`, breed: "tabby", lives: i })));
    assert.equal(said.unprocessedItems.length, 0);
    assert.equal((await Cat.batchGet([{ owner: "bob", name: "c01" }, { owner: "bob", name: "c02" }, { owner: "bob", name: "none" }])).length, 2);
  });
  it("queries by key and by index, with conditions, in both directions", async () => {
    const found = await Cat.query("owner").eq("bob").where("name").beginsWith("c1").filter("lives").gt(15).sort("descending").exec();
    assert.deepEqual(found.map((one) => one.lives), [19, 18, 17, 16]);
    assert.equal((await Cat.query("breed").eq("tabby").using("byBreed").all().exec()).length, 25);
    assert.equal((await Cat.query("owner").eq("bob").count().exec()).count, 25);
  });
  it("scans, also in parallel and page by page", async () => {
    assert.equal((await Cat.scan().parallel(4).exec()).length, 26);
    assert.equal((await Cat.scan().limit(5).all().exec()).length, 26);
    assert.equal((await Cat.scan("chip").exists().exec()).length, 1);
  });
  it("does transactions", async () => {
    await dynamoose.transaction([Cat.transaction.create({ owner: "eva", name: "Leo" }), Cat.transaction.update({ owner: "eva", name: "Mia" }, { lives: 1 })]);
    await assert.rejects(dynamoose.transaction([Cat.transaction.create({ owner: "eva", name: "Leo" })]), { name: "TransactionCanceledException" });
    assert.equal((await Cat.get({ owner: "eva", name: "Mia" })).lives, 1);
  });
  it("does transactions on tables that it has just made as it likes, of one unit a second", async () => {
    const User = dynamoose.model("User", { id: String, orders: Number });
    const Order = dynamoose.model("Order", { id: String, user: String });
    await Promise.all([User.create({ id: "u1", orders: 0 }), Order.create({ id: "o1", user: "u1" })]);
    await dynamoose.transaction([User.transaction.update({ id: "u1" }, { orders: 1 }), Order.transaction.create({ id: "o2", user: "u1" }), User.transaction.create({ id: "u2" })]);
    await dynamoose.transaction([User.transaction.update({ id: "u1" }, { orders: 2 }), Order.transaction.create({ id: "o3", user: "u1" })]);
    assert.equal((await User.get("u1")).orders, 2);
    assert.equal((await db.ask("DescribeTable", { TableName: "User" })).Table.ProvisionedThroughput.WriteCapacityUnits, 1);
  });
  it("deletes", async () => {
    await Cat.delete({ owner: "eva", name: "Leo" });
    assert.equal(await Cat.get({ owner: "eva", name: "Leo" }), undefined);
  });
});
