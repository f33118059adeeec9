// SPDX-License-Identifier: MIT
// What lies around a request: HTTP, its heads and its encodings.
import assert from "node:assert/strict";
import { request } from "node:http";
import { before, describe, it } from "node:test";
import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { crc32 } from "../lib/crc32.js";
import { useServer } from "../lib/suite.js";
import { S } from "../lib/values.js";

const TARGET = (call) => `DynamoDB_20120810.${call}`;
const SIGNED = {
  authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
  "x-amz-date": "20260101T000000Z",
};

describe("HTTP", () => {
  const db = useServer();
  /** One request as it is, its answer as it came. */
  const send = ({ method = "POST", path = "/", call = "ListTables", headers = {}, body = "{}", agent }) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(db.endpoint);
      const known = method === "POST" ? { "content-type": "application/x-amz-json-1.0", ...(call ? { "x-amz-target": TARGET(call) } : {}), ...SIGNED } : {};
      const all = Object.fromEntries(Object.entries({ ...known, ...headers }).filter(([, value]) => value !== undefined));
      const asked = request({ hostname, port, method, path, headers: all, agent }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part)).once("end", () => {
          const bytes = Buffer.concat(parts);
          resolve({ status: response.statusCode, headers: response.headers, bytes, text: bytes.toString() });
        });
      });
      asked.once("error", reject);
      asked.end(method === "GET" || method === "OPTIONS" ? undefined : body);
    });
  const type = ({ text }) => JSON.parse(text).__type;

  before(async () => {
    await db.makeTable("Things");
    await db.ask("PutItem", { TableName: "Things", Item: { p: S("big"), v: S("x".repeat(9000)) } });
  });
  const big = (headers) => send({ call: "GetItem", body: JSON.stringify({ TableName: "Things", Key: { p: S("big") } }), headers });

  describe("an answer", () => {
    for (const [what, call, status] of [["that is good", "ListTables", 200], ["that is an error", "Nonsense", 400]]) {
      it(`${what} has a request id of 52 characters`, async () => assert.match((await send({ call })).headers["x-amzn-requestid"], /^[0-9A-Z]{52}$/));
      it(`${what} has its bytes' checksum`, async () => {
        const said = await send({ call });
        assert.equal(said.status, status);
        assert.equal(said.headers["x-amz-crc32"], String(crc32(said.bytes)));
      });
      it(`${what} has its type, length and date`, async () => {
        const { headers, bytes } = await send({ call });
        assert.equal(headers["content-type"], "application/x-amz-json-1.0");
        assert.equal(headers["content-length"], String(bytes.length));
        assert.ok(Math.abs(Date.parse(headers.date) - Date.now()) < 60000);
        assert.equal(headers["transfer-encoding"], undefined);
      });
    }
    it("has an id of its own", async () => assert.notEqual((await send({})).headers["x-amzn-requestid"], (await send({})).headers["x-amzn-requestid"]));
    it("without data is an empty object", async () =>
      assert.equal((await send({ call: "PutItem", body: JSON.stringify({ TableName: "Things", Item: { p: S("a") } }) })).text, "{}"));
    it("of tagging is empty", async () => {
      const ResourceArn = "arn:aws:dynamodb:us-east-1:000000000000:table/Things";
      const said = await send({ call: "TagResource", body: JSON.stringify({ ResourceArn, Tags: [{ Key: "a", Value: "b" }] }) });
      assert.deepEqual([said.status, said.text], [200, ""]);
      const again = await send({ call: "UntagResource", body: JSON.stringify({ ResourceArn, TagKeys: ["a"] }) });
      assert.deepEqual([again.status, again.text], [200, ""]);
    });
  });

  describe("a request", () => {
    for (const contentType of ["application/x-amz-json-1.0", "application/json", "application/x-amz-json-1.0; charset=utf-8", "application/json;x=y"])
      it(`may be ${contentType}`, async () => assert.equal((await send({ headers: { "content-type": contentType } })).status, 200));
    for (const contentType of ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
      it(`may not be ${contentType}`, async () => {
        const { status, text } = await send({ headers: { "content-type": contentType } });
        assert.deepEqual([status, text], [404, "<UnknownOperationException/>\n"]);
      });
    for (const method of ["PUT", "DELETE", "PATCH"])
      it(`may not be a ${method}`, async () => {
        const { status, text } = await send({ method, body: "" });
        assert.deepEqual([status, text], [404, "<UnknownOperationException/>\n"]);
      });
    it("may not ask for OPTIONS without an origin", async () => {
      const { status, text } = await send({ method: "OPTIONS" });
      assert.deepEqual([status, text], [404, "<UnknownOperationException/>\n"]);
    });
    it("may ask how it goes", async () => {
      const { status, text } = await send({ method: "GET" });
      assert.deepEqual([status, text], [200, "healthy: dynamodb.us-east-1.amazonaws.com "]);
    });
    it("may have a header in any case", async () => assert.equal((await send({ call: null, headers: { "X-AMZ-TARGET": TARGET("ListTables") } })).status, 200));
    it("may ask for streams at the same place", async () =>
      assert.deepEqual(JSON.parse((await send({ call: null, headers: { "x-amz-target": "DynamoDBStreams_20120810.ListStreams" } })).text), { Streams: [] }));
    for (const target of ["DynamoDBStreams_20120810.ListTables", "DynamoDB_20120810.ListStreams", "DynamoDB_20120810.listTables", "DynamoDB_20120810ListTables", "DynamoDB_20120810.ListTables.x"])
      it(`may not have the target ${target}`, async () => assert.equal(type(await send({ call: null, headers: { "x-amz-target": target } })), "com.amazon.coral.service#UnknownOperationException"));
    it("without a target is unknown", async () => assert.equal(type(await send({ call: null })), "com.amazon.coral.service#UnknownOperationException"));
    it("goes over one connection after another", async () => {
      const { Agent } = await import("node:http");
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = 0; i < 3; i++) assert.equal((await send({ agent })).status, 200);
      assert.equal(Object.values(agent.freeSockets).flat().length, 1);
      agent.destroy();
    });
    it("that closes is told so", async () => assert.equal((await send({ headers: { connection: "close" } })).headers.connection, "close"));
    it("in chunks is whole", async () => assert.equal((await send({ headers: { "transfer-encoding": "chunked" } })).status, 200));
    it("of more than 16 MB is too large", async () => {
      const { status } = await send({ body: " ".repeat(16 * 1024 * 1024 + 1) }).catch((error) => (["EPIPE", "ECONNRESET"].includes(error.code) ? { status: 413 } : Promise.reject(error)));
      assert.equal(status, 413);
    });
    it("of 16 MB is not", async () => assert.equal((await send({ body: `{}${" ".repeat(16 * 1024 * 1024 - 2)}` })).status, 200));
    it("with heads of more than 16 KB is refused", async () => {
      assert.equal((await send({ headers: { "x-much": "x".repeat(16 * 1024) } })).status, 400);
      assert.equal((await send({ path: `/?${"x".repeat(16 * 1024)}` })).status, 400);
    });
  });

  describe("is packed:", () => {
    for (const [encoding, pack] of [["gzip", gzipSync], ["deflate", deflateSync]])
      it(`a request by ${encoding}`, async () => assert.equal((await send({ body: pack("{}"), headers: { "content-encoding": encoding } })).status, 200));
    it("a request in two members", async () => {
      const { status, text } = await send({ call: "GetItem", body: Buffer.concat([gzipSync("{\"TableName\":\"Things\","), gzipSync("\"Key\":{\"p\":{\"S\":\"none\"}}}")]), headers: { "content-encoding": "gzip" } });
      assert.deepEqual([status, text], [200, "{}"]);
    });
    it("a request that is broken", async () => {
      const said = await send({ body: gzipSync("{}").subarray(0, 12), headers: { "content-encoding": "gzip" } });
      assert.equal(said.status, 500);
      assert.match(type(said), /#InternalServerError$/);
      assert.equal(JSON.parse(said.text).message, "The request's body could not be unpacked");
    });
    it("a request by something else, in vain", async () => assert.notEqual((await send({ headers: { "content-encoding": "br" } })).status, 200));
    it("a small request that becomes too large", async () => {
      const { status } = await send({ body: gzipSync(Buffer.alloc(17 * 1024 * 1024, 32)), headers: { "content-encoding": "gzip" } });
      assert.ok(status === 413 || status === 500, String(status));
    });
    for (const [accept, encoding, unpack] of [
      ["gzip", "gzip", gunzipSync], ["deflate", "deflate", inflateSync], ["gzip;q=0.5, deflate;q=0.1", "gzip", gunzipSync], ["br, gzip", "gzip", gunzipSync],
      ["gzip;q=0", undefined], ["identity", undefined], [undefined, undefined],
    ])
      it(`an answer ${encoding ? `by ${encoding}` : "by nothing"} for ${accept ?? "nobody"}`, async () => {
        const said = await big({ "accept-encoding": accept });
        assert.equal(said.headers["content-encoding"], encoding);
        const text = (unpack ? unpack(said.bytes) : said.bytes).toString();
        assert.equal(JSON.parse(text).Item.v.S.length, 9000);
        if (unpack) assert.ok(said.bytes.length < 9000);
      });
    it("a small answer by nothing", async () => assert.equal((await send({ headers: { "accept-encoding": "gzip" } })).headers["content-encoding"], undefined));
  });

  describe("for browsers:", () => {
    it("every answer is for any origin", async () => assert.equal((await send({ headers: { origin: "http://x" } })).headers["access-control-allow-origin"], "*"));
    it("an error too", async () => assert.equal((await send({ call: "Moon", headers: { origin: "http://x" } })).headers["access-control-allow-origin"], "*"));
    it("nobody is told without an origin", async () => assert.equal((await send({})).headers["access-control-allow-origin"], undefined));
    it("a preflight is told what it asked for", async () => {
      const { status, headers, text } = await send({ method: "OPTIONS", headers: { origin: "http://x", "access-control-request-method": "POST", "access-control-request-headers": "x-amz-target,content-type" } });
      assert.deepEqual([status, text], [200, ""]);
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.equal(headers["access-control-allow-methods"], "POST");
      assert.equal(headers["access-control-allow-headers"], "x-amz-target,content-type");
      assert.equal(headers["access-control-max-age"], "172800");
    });
  });
});
