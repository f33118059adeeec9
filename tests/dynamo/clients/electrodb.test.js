// SPDX-License-Identifier: MIT
// ElectroDB: several entities in one table, by its composed keys.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity, Service } from "electrodb";
import { HASH, RANGE, attribute, useServer } from "../lib/suite.js";

const index = (name, pk, sk) => ({ IndexName: name, KeySchema: [HASH(pk), RANGE(sk)], Projection: { ProjectionType: "ALL" } });

describe("ElectroDB", () => {
  const db = useServer();
  let tasks, people, service;
  before(async () => {
    await db.ask("CreateTable", {
      TableName: "electro", BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("pk"), RANGE("sk")],
      AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map((name) => attribute(name)), GlobalSecondaryIndexes: [index("gsi1", "gsi1pk", "gsi1sk")],
    });
    const options = { table: "electro", client: DynamoDBDocumentClient.from(db.client) };
    tasks = new Entity({
      model: { entity: "task", version: "1", service: "work" },
      attributes: {
        team: { type: "string", required: true }, id: { type: "string", required: true }, person: { type: "string", required: true },
        points: { type: "number", default: 0 }, tags: { type: "set", items: "string" }, notes: { type: "list", items: { type: "string" } },
        status: { type: ["open", "closed"], default: "open" },
      },
      indexes: {
        byTeam: { pk: { field: "pk", composite: ["team"] }, sk: { field: "sk", composite: ["id"] } },
        assigned: { index: "gsi1", collection: "assignments", pk: { field: "gsi1pk", composite: ["person"] }, sk: { field: "gsi1sk", composite: ["status", "id"] } },
      },
    }, options);
    people = new Entity({
      model: { entity: "person", version: "1", service: "work" },
      attributes: { person: { type: "string", required: true }, name: { type: "string" } },
      indexes: {
        byId: { pk: { field: "pk", composite: ["person"] }, sk: { field: "sk", composite: [] } },
        assigned: { index: "gsi1", collection: "assignments", pk: { field: "gsi1pk", composite: ["person"] }, sk: { field: "gsi1sk", composite: [] } },
      },
    }, options);
    service = new Service({ tasks, people });
  });

  it("creates once", async () => {
    const task = { team: "red", id: "1", person: "ada", tags: ["a", "b"], notes: ["first"] };
    assert.equal((await tasks.create(task).go()).data.status, "open");
    await assert.rejects(tasks.create(task).go(), /The conditional request failed/);
  });
  it("gets what it put", async () => {
    const { data } = await tasks.get({ team: "red", id: "1" }).go();
    assert.deepEqual(data, { team: "red", id: "1", person: "ada", points: 0, tags: ["a", "b"], notes: ["first"], status: "open" });
  });
  it("puts and gets many", async () => {
    await tasks.put(Array.from({ length: 60 }, (_, i) => ({ team: "blue", id: String(i).padStart(2, "0"), person: i % 2 ? "ada" : "bob", points: i }))).go();
    const { data, unprocessed } = await tasks.get(Array.from({ length: 60 }, (_, i) => ({ team: "blue", id: String(i).padStart(2, "0") }))).go();
    assert.deepEqual([data.length, unprocessed.length], [60, 0]);
  });
  it("queries between, filters, and pages", async () => {
    const { data } = await tasks.query.byTeam({ team: "blue" }).between({ id: "10" }, { id: "19" }).where(({ points }, { gt }) => gt(points, 14)).go();
    assert.deepEqual(data.map((one) => one.id), ["15", "16", "17", "18", "19"]);
    let cursor = null;
    let count = 0;
    do {
      const page = await tasks.query.byTeam({ team: "blue" }).go({ cursor, limit: 13 });
      count += page.data.length;
      cursor = page.cursor;
    } while (cursor);
    assert.equal(count, 60);
  });
  it("updates in all ways", async () => {
    const { data } = await tasks.patch({ team: "red", id: "1" }).set({ status: "closed" }).add({ points: 5 }).append({ notes: ["second"] }).delete({ tags: ["a"] }).go({ response: "all_new" });
    assert.deepEqual([data.status, data.points, data.notes, data.tags], ["closed", 5, ["first", "second"], ["b"]]);
    await assert.rejects(tasks.patch({ team: "red", id: "none" }).set({ points: 1 }).go(), /The conditional request failed/);
  });
  it("finds a collection of several entities", async () => {
    await people.put({ person: "ada", name: "Ada" }).go();
    const { data } = await service.collections.assignments({ person: "ada" }).go({ pages: "all" });
    assert.deepEqual([data.tasks.length, data.people.length], [31, 1]);
  });
  it("writes in transactions", async () => {
    const { canceled } = await service.transaction.write(({ tasks: t, people: p }) => [t.delete({ team: "red", id: "1" }).commit(), p.create({ person: "ada", name: "again" }).commit()]).go();
    assert.equal(canceled, true);
    assert.ok((await tasks.get({ team: "red", id: "1" }).go()).data);
  });
  it("deletes", async () => {
    await tasks.remove({ team: "red", id: "1" }).go();
    assert.equal((await tasks.get({ team: "red", id: "1" }).go()).data, null);
  });
});
