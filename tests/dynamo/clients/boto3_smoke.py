# SPDX-License-Identifier: MIT
"""What people do with boto3, by its client and by its resource: boto3_smoke.py ENDPOINT. A line of JSON for each."""
import decimal
import json
import sys

import boto3
import botocore.config
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary

SETTINGS = {
    "endpoint_url": sys.argv[1],
    "region_name": "eu-west-1",
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "secret",
    "config": botocore.config.Config(retries={"total_max_attempts": 1}),
}
client = boto3.client("dynamodb", **SETTINGS)
resource = boto3.resource("dynamodb", **SETTINGS)


def the_resource_makes_a_table_and_waits():
    table = resource.create_table(
        TableName="Movies",
        KeySchema=[{"AttributeName": "year", "KeyType": "HASH"}, {"AttributeName": "title", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "year", "AttributeType": "N"},
            {"AttributeName": "title", "AttributeType": "S"},
            {"AttributeName": "genre", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[{
            "IndexName": "ByGenre",
            "KeySchema": [{"AttributeName": "genre", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    assert table.table_status in ("CREATING", "ACTIVE")
    table.reload()
    assert table.table_status == "ACTIVE" and table.item_count == 0


def values_of_python_come_back():
    item = {
        "year": 2001, "title": "Spirited Away", "genre": "anime", "rating": decimal.Decimal("8.6"),
        "info": {"actors": ["a", "b"], "seen": True, "none": None, "nested": [{"x": [1, 2]}]},
        "tags": {"x", "y"}, "numbers": {1, 2}, "data": Binary(b"\x00\x01"), "empty": "",
    }
    table = resource.Table("Movies")
    table.put_item(Item=item)
    assert table.get_item(Key={"year": 2001, "title": "Spirited Away"})["Item"] == item


def a_batch_writer_writes_hundreds():
    with resource.Table("Movies").batch_writer() as batch:
        for i in range(130):
            batch.put_item(Item={"year": 1900 + i % 3, "title": f"t{i:03}", "genre": "silent", "n": i})


def conditions_of_boto3_query_and_filter():
    table = resource.Table("Movies")
    found = table.query(KeyConditionExpression=Key("year").eq(1900) & Key("title").between("t000", "t030"), FilterExpression=Attr("n").gte(9) & ~Attr("x").exists())
    assert [one["title"] for one in found["Items"]] == [f"t{i:03}" for i in range(9, 31, 3)], found
    found = table.query(IndexName="ByGenre", KeyConditionExpression=Key("genre").eq("silent"), Select="COUNT")
    assert found["Count"] == 130


def updates_return_what_is_new():
    said = resource.Table("Movies").update_item(
        Key={"year": 2001, "title": "Spirited Away"}, UpdateExpression="SET info.seen = :no ADD rating :r REMOVE #e",
        ExpressionAttributeNames={"#e": "empty"}, ExpressionAttributeValues={":no": False, ":r": decimal.Decimal("0.1")}, ReturnValues="UPDATED_NEW")
    assert said["Attributes"] == {"info": {"seen": False}, "rating": decimal.Decimal("8.7")}, said


def a_failed_condition_is_an_exception_of_its_own():
    try:
        client.put_item(TableName="Movies", Item={"year": {"N": "2001"}, "title": {"S": "Spirited Away"}}, ConditionExpression="attribute_not_exists(title)")
    except client.exceptions.ConditionalCheckFailedException as error:
        assert error.response["Error"]["Message"] == "The conditional request failed"
        return
    raise AssertionError("it was put")


def a_cancelled_transaction_has_reasons():
    key = {"year": {"N": "2001"}, "title": {"S": "Spirited Away"}}
    try:
        client.transact_write_items(TransactItems=[
            {"Put": {"TableName": "Movies", "Item": {"year": {"N": "1"}, "title": {"S": "x"}}}},
            {"ConditionCheck": {"TableName": "Movies", "Key": key, "ConditionExpression": "attribute_not_exists(title)"}},
        ])
    except client.exceptions.TransactionCanceledException as error:
        assert [one["Code"] for one in error.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
        return
    raise AssertionError("it was done")


def paginators_find_everything():
    pages = list(client.get_paginator("scan").paginate(TableName="Movies", PaginationConfig={"PageSize": 25}))
    assert sum(page["Count"] for page in pages) == 131 and len(pages) >= 6
    assert [name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]] == ["Movies"]


def batches_of_the_resource_read():
    keys = [{"year": 1900, "title": "t000"}, {"year": 1901, "title": "t001"}, {"year": 1, "title": "none"}]
    said = resource.batch_get_item(RequestItems={"Movies": {"Keys": keys}})
    assert len(said["Responses"]["Movies"]) == 2 and said["UnprocessedKeys"] == {}


def partiql_is_spoken():
    said = client.execute_statement(Statement="SELECT n FROM Movies WHERE \"year\" = ? AND title = ?", Parameters=[{"N": "1900"}, {"S": "t003"}])
    assert said["Items"] == [{"n": {"N": "3"}}], said


def a_table_that_is_not_there_is_not_found():
    try:
        resource.Table("Missing").get_item(Key={"a": 1})
    except client.exceptions.ResourceNotFoundException:
        return
    raise AssertionError("it was found")


def the_table_is_deleted():
    table = resource.Table("Movies")
    table.delete()
    table.wait_until_not_exists()


for step in [
    the_resource_makes_a_table_and_waits, values_of_python_come_back, a_batch_writer_writes_hundreds, conditions_of_boto3_query_and_filter,
    updates_return_what_is_new, a_failed_condition_is_an_exception_of_its_own, a_cancelled_transaction_has_reasons, paginators_find_everything,
    batches_of_the_resource_read, partiql_is_spoken, a_table_that_is_not_there_is_not_found, the_table_is_deleted,
]:
    try:
        step()
        print(json.dumps({"name": step.__name__.replace("_", " ")}), flush=True)
    except Exception as error:  # whatever it was, the next step tells more
        print(json.dumps({"name": step.__name__.replace("_", " "), "error": f"{type(error).__name__}: {error}"}), flush=True)
