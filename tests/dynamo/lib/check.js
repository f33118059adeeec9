// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-dynamodb";

/** What a call says, without what the SDK adds. */
export async function ask(client, call, input = {}) {
  const { $metadata, ...said } = await client.send(new sdk[`${call}Command`](input));
  return said;
}

/** The call fails with this error and this sentence: a string is the whole of it, a regular expression a part. */
export async function refuses(client, call, input, name, sentence) {
  let error;
  try {
    await ask(client, call, input);
  } catch (caught) {
    error = caught;
  }
  assert.ok(error, `${call} was accepted`);
  assert.equal(error.name, name, `${error.name}: ${error.message}`);
  assert.equal(error.$metadata?.httpStatusCode, name === "InternalServerError" ? 500 : 400);
  if (typeof sentence === "string") assert.equal(error.message, sentence);
  else if (sentence) assert.match(error.message, sentence);
  return error;
}

/** A request with a body of one's own: what no SDK would send. */
export async function post(endpoint, target, body, headers = {}) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": target,
      authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
      "x-amz-date": "20260101T000000Z",
      ...headers,
    },
    body,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.length > 0 ? JSON.parse(text) : undefined };
}

/** A table with a partition key `p` (S) and, when asked, a sort key `s` of the type. */
export async function makeTable(client, TableName, sort, more = {}) {
  await ask(client, "CreateTable", {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "p", AttributeType: "S" },
      ...(sort ? [{ AttributeName: "s", AttributeType: sort }] : []),
      ...(more.attributes ?? []),
    ],
    KeySchema: [
      { AttributeName: "p", KeyType: "HASH" },
      ...(sort ? [{ AttributeName: "s", KeyType: "RANGE" }] : []),
    ],
    ...more.input,
  });
  return TableName;
}
