// SPDX-License-Identifier: MIT
// dynamodb-admin: its pages, fetched while it browses our tables.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { HASH, RANGE, attribute, useServer } from "../lib/suite.js";
import { M, N, S } from "../lib/values.js";

const PROGRAM = fileURLToPath(new URL("../node_modules/dynamodb-admin/dist/dynamodb-admin.js", import.meta.url));

describe("dynamodb-admin", () => {
  const db = useServer();
  let admin, address;

  before(async () => {
    await db.ask("CreateTable", {
      TableName: "Planets", BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("star"), RANGE("name")],
      AttributeDefinitions: [attribute("star"), attribute("name"), attribute("kind")],
      GlobalSecondaryIndexes: [{ IndexName: "ByKind", KeySchema: [HASH("kind")], Projection: { ProjectionType: "ALL" } }],
    });
    for (let i = 0; i < 30; i++)
      await db.ask("PutItem", { TableName: "Planets", Item: { star: S("sun"), name: S(`planet${String(i).padStart(2, "0")}`), kind: S(i % 2 ? "gas" : "rock"), mass: N(i), more: M({ moons: N(i) }) } });
    admin = spawn(process.execPath, [PROGRAM, "-H", "127.0.0.1", "-p", "0"], { env: { PATH: process.env.PATH, DYNAMO_ENDPOINT: db.endpoint, AWS_REGION: "us-east-1" }, stdio: ["ignore", "pipe", "pipe"] });
    address = await new Promise((resolve, reject) => {
      let said = "";
      const take = (chunk) => {
        said += chunk;
        const match = /listening on (http:\S+)/.exec(said);
        if (match) resolve(match[1]);
      };
      admin.stdout.setEncoding("utf8").on("data", take);
      admin.stderr.setEncoding("utf8").on("data", take);
      admin.once("exit", (code) => reject(new Error(`it ended with ${code}:\n${said}`)));
    });
  });
  after(async () => {
    const ended = new Promise((resolve) => admin.once("exit", resolve));
    admin.kill("SIGTERM");
    await ended;
  });

  const page = async (path, options) => {
    const response = await fetch(address + path, options);
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text.slice(0, 400)}`);
    return text;
  };
  const sent = (method, body) => ({ method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  it("shows the tables", async () => assert.match(await page("/"), /Planets/));
  it("shows a table", async () => assert.match(await page("/tables/Planets"), /Planets/));
  it("shows its first items", async () => {
    const { Items } = JSON.parse(await page("/tables/Planets/items?pageSize=25"));
    assert.equal(Items.length, 25);
  });
  it("shows what a query finds", async () => {
    const filters = encodeURIComponent(JSON.stringify({ kind: { operator: "=", type: "S", value: "gas" } }));
    const { Items } = JSON.parse(await page(`/tables/Planets/items?operationType=query&queryableSelection=ByKind&pageSize=100&filters=${filters}`));
    assert.equal(Items.length, 15);
  });
  it("shows the description", async () => assert.match(await page("/tables/Planets/meta"), /ByKind/));
  it("shows one item", async () => assert.match(await page("/tables/Planets/items/sun,planet07"), /moons/));
  it("shows the form for a new one", async () => assert.match(await page("/tables/Planets/add-item"), /star/));
  it("adds and changes an item", async () => {
    await page("/tables/Planets/add-item", sent("PUT", { star: "vega", name: "b", mass: 1 }));
    await page("/tables/Planets/items/vega,b", sent("PUT", { star: "vega", name: "b", mass: 2 }));
    assert.deepEqual((await db.ask("GetItem", { TableName: "Planets", Key: { star: S("vega"), name: S("b") } })).Item.mass, N(2));
  });
  it("deletes an item", async () => {
    await page("/tables/Planets/items/vega,b", { method: "DELETE" });
    assert.deepEqual(await db.ask("GetItem", { TableName: "Planets", Key: { star: S("vega"), name: S("b") } }), {});
  });
  it("makes a table", async () => {
    await page("/create-table", sent("POST", { TableDefinition: { TableName: "Moons", HashAttributeName: "id", HashAttributeType: "S", ReadCapacityUnits: 3, WriteCapacityUnits: 3 }, SecondaryIndexes: [] }));
    assert.ok((await db.ask("ListTables", {})).TableNames.includes("Moons"));
  });
  it("empties a table", async () => {
    await page("/tables/Planets/all", { method: "DELETE" });
    assert.equal((await db.ask("Scan", { TableName: "Planets", Select: "COUNT" })).Count, 0);
  });
  it("drops a table", async () => {
    await page("/tables/Planets", { method: "DELETE" });
    assert.ok(!(await db.ask("ListTables", {})).TableNames.includes("Planets"));
  });
});
