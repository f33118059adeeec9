// SPDX-License-Identifier: MIT
// Debian's python3-boto3: boto3_smoke.py says what it does.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { useServer } from "../lib/suite.js";

describe("boto3", () => {
  const db = useServer();
  it("sees DynamoDB", async (t) => {
    const script = fileURLToPath(new URL("boto3_smoke.py", import.meta.url));
    const { stdout } = await promisify(execFile)("/usr/bin/python3", [script, db.endpoint], { env: { PATH: process.env.PATH, HOME: "/nonexistent", LANG: "C.UTF-8" }, timeout: 120_000 });
    const steps = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(steps.length, 12);
    for (const { name, error } of steps) await t.test(name, () => assert.equal(error, undefined));
  });
});
