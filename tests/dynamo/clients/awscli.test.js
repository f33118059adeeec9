// SPDX-License-Identifier: MIT
// The aws command of Debian's awscli, as people type it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { useServer } from "../lib/suite.js";

const run = promisify(execFile);
const ENV = {
  PATH: `/usr/bin:/bin:${process.env.PATH}`, HOME: "/nonexistent", LANG: "C.UTF-8", AWS_PAGER: "",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_DEFAULT_REGION: "eu-central-1", AWS_EC2_METADATA_DISABLED: "true", AWS_MAX_ATTEMPTS: "1",
};

describe("aws dynamodb", () => {
  const db = useServer();
  const aws = async (words, ...more) => {
    const { stdout } = await run("aws", ["--endpoint-url", db.endpoint, "--output", "json", ...words.split(" "), ...more], { env: ENV, timeout: 60_000 });
    return stdout.trim() === "" ? undefined : JSON.parse(stdout);
  };

  it("makes a table and waits for it", async () => {
    const { TableDescription } = await aws(
      "dynamodb create-table --table-name Music --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=Artist,AttributeType=S AttributeName=Song,AttributeType=S --key-schema AttributeName=Artist,KeyType=HASH AttributeName=Song,KeyType=RANGE --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES");
    assert.equal(TableDescription.TableName, "Music");
    await aws("dynamodb wait table-exists --table-name Music");
    assert.deepEqual(await aws("dynamodb list-tables"), { TableNames: ["Music"] });
    assert.equal((await aws("dynamodb describe-table --table-name Music")).Table.TableStatus, "ACTIVE");
  });
  it("puts, gets, updates and queries", async () => {
    await aws("dynamodb put-item --table-name Music --item", '{"Artist":{"S":"Björk"},"Song":{"S":"Jóga"},"Year":{"N":"1997"}}');
    const { Item } = await aws("dynamodb get-item --table-name Music --consistent-read --key", '{"Artist":{"S":"Björk"},"Song":{"S":"Jóga"}}');
    assert.deepEqual(Item, { Artist: { S: "Björk" }, Song: { S: "Jóga" }, Year: { N: "1997" } });
    const { Attributes } = await aws("dynamodb update-item --table-name Music --return-values UPDATED_NEW --key", '{"Artist":{"S":"Björk"},"Song":{"S":"Jóga"}}',
      "--update-expression", "SET #y = #y + :one", "--expression-attribute-names", '{"#y":"Year"}', "--expression-attribute-values", '{":one":{"N":"1"}}');
    assert.deepEqual(Attributes, { Year: { N: "1998" } });
    const { Count } = await aws("dynamodb query --table-name Music --key-condition-expression", "Artist = :a AND begins_with(Song, :s)", "--expression-attribute-values", '{":a":{"S":"Björk"},":s":{"S":"J"}}');
    assert.equal(Count, 1);
  });
  it("pages by itself", async () => {
    await aws("dynamodb batch-write-item --request-items", JSON.stringify({ Music: Array.from({ length: 7 }, (_, i) => ({ PutRequest: { Item: { Artist: { S: "x" }, Song: { S: `${i}` } } } })) }));
    const { Items, Count } = await aws("dynamodb scan --table-name Music --page-size 2");
    assert.equal(Items.length, 8);
    assert.equal(Count, 8);
  });
  it("speaks PartiQL", async () => {
    const { Items } = await aws("dynamodb execute-statement --statement", `SELECT Song FROM "Music" WHERE Artist='x' AND Song < '2'`);
    assert.deepEqual(Items, [{ Song: { S: "0" } }, { Song: { S: "1" } }]);
  });
  it("sees what is refused", async () => {
    const error = await aws("dynamodb put-item --table-name Music --item", '{"Artist":{"S":"Björk"},"Song":{"S":"Jóga"}}', "--condition-expression", "attribute_not_exists(Artist)").catch((caught) => caught);
    assert.match(error.stderr, /\(ConditionalCheckFailedException\) when calling the PutItem operation.*: The conditional request failed/);
  });
  it("reads streams", async () => {
    const { Streams } = await aws("dynamodbstreams list-streams --table-name Music");
    const { StreamDescription } = await aws(`dynamodbstreams describe-stream --stream-arn ${Streams[0].StreamArn}`);
    assert.equal(StreamDescription.StreamStatus, "ENABLED");
  });
  it("deletes a table and waits until it is gone", async () => {
    await aws("dynamodb delete-table --table-name Music");
    await aws("dynamodb wait table-not-exists --table-name Music");
    assert.deepEqual(await aws("dynamodb list-tables"), { TableNames: [] });
  });
});
