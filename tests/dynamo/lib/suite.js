// SPDX-License-Identifier: MIT
import { after, before } from "node:test";
import { ask, makeTable, post, refuses } from "./check.js";
import { startServer } from "./server.js";

export const P = "One or more parameter values were invalid: ";
export const ACCOUNT = "000000000000";

export const HASH = (AttributeName) => ({ AttributeName, KeyType: "HASH" });
export const RANGE = (AttributeName) => ({ AttributeName, KeyType: "RANGE" });
export const attribute = (AttributeName, AttributeType = "S") => ({ AttributeName, AttributeType });
export const ALL = { ProjectionType: "ALL" };
export const KEYS_ONLY = { ProjectionType: "KEYS_ONLY" };
export const index = (IndexName, hash, range, Projection = ALL) => ({
  IndexName,
  KeySchema: [...[hash].flat().map(HASH), ...[range ?? []].flat().map(RANGE)],
  Projection,
});
export const arn = (name) => `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/${name}`;

/** A server for the tests of the `describe` around it. Its calls say what the SDK says, without metadata. */
export function useServer(...flags) {
  let server;
  before(async () => {
    server = await startServer(...flags);
  });
  after(() => server?.stop());
  return {
    get endpoint() {
      return server.endpoint;
    },
    get client() {
      return server.client;
    },
    get streams() {
      return server.streams;
    },
    ask: (call, input) => ask(server.client, call, input),
    refuses: (call, input, name, sentence) => refuses(server.client, call, input, name, sentence),
    invalid: (call, input, sentence) => refuses(server.client, call, input, "ValidationException", sentence),
    makeTable: (name, sort, more) => makeTable(server.client, name, sort, more),
    post: (target, body, headers) => post(server.endpoint, `DynamoDB_20120810.${target}`, typeof body === "string" ? body : JSON.stringify(body), headers),
  };
}

/** One table `Things` with the key `p`, and what is done to its items, in few words. */
export function useThings(...flags) {
  const db = useServer(...flags);
  before(() => db.makeTable("Things"));
  const TableName = "Things";
  const key = (p) => ({ p: { S: p } });
  return Object.assign(db, {
    put: (p, attributes = {}, more = {}) => db.ask("PutItem", { TableName, Item: { ...key(p), ...attributes }, ...more }),
    /** The item without its key; undefined when there is none. */
    async get(p) {
      const { Item } = await db.ask("GetItem", { TableName, Key: key(p), ConsistentRead: true });
      if (!Item) return undefined;
      const { p: _, ...rest } = Item;
      return rest;
    },
    update: (p, UpdateExpression, ExpressionAttributeValues, more = {}) =>
      db.ask("UpdateItem", { TableName, Key: key(p), UpdateExpression, ExpressionAttributeValues, ...more }),
    things: (p, more) => ({ TableName, Key: key(p), ...more }),
  });
}
