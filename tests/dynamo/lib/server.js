// SPDX-License-Identifier: MIT
// A server of the test file's own, on ports that it picks itself, in a directory that goes with it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";

const BINARY = process.env.PL_SERVER ?? join(process.env.PL_BUILD ?? "build/sanitize", "perilune");

const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

// A test that is ended from outside takes its servers with it.
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** Start it; resolves when it serves. `stop()` ends it and removes its data. */
export async function startServer(...flags) {
  const folder = mkdtempSync(join(tmpdir(), "perilune-dynamo-"));
  const child = spawn(
    BINARY,
    ["serve", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  const said = [];
  const endpoint = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      said.push(chunk);
      const match = /DynamoDB API +(http:\S+)/.exec(said.join(""));
      if (match) resolve(match[1]);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said.join("")}`)));
  });
  const options = { endpoint, region: "us-east-1", credentials: CREDENTIALS, maxAttempts: 1 };
  return {
    endpoint,
    client: new DynamoDBClient(options),
    streams: new DynamoDBStreamsClient(options),
    async stop() {
      this.client.destroy();
      this.streams.destroy();
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const code = await ended;
      rmSync(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the server ended with ${code}:\n${said.join("")}`);
    },
  };
}
