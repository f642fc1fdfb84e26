"""Requests as botocore writes them and answers as it reads them, for package codec:
api/rekognition/codec/testdata/{requests,responses}.json.

A request has the operation, the body that boto3's serialiser made, and the parameters it
was made from; a response the operation, a body as the service sends it, and what
botocore's parser reads in it. Parameters and results are JSON with blobs in base64 and
times in epoch seconds.

Requirements: botocore==1.44.5
Run: python golden/rekognition_codec.py
"""
import base64
import datetime
import json
import pathlib

import botocore.session
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

service = botocore.session.Session().get_service_model("rekognition")


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items() if k != "ResponseMetadata"}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, bytes):
        return base64.b64encode(v).decode()
    if isinstance(v, datetime.datetime):
        return round(v.timestamp(), 3)
    return v


def request(name, **params):
    sent = create_serializer("json").serialize_to_request(params, service.operation_model(name))
    return {"operation": name, "body": sent["body"].decode(), "want": plain(params)}


def response(name, body):
    shape = service.operation_model(name).output_shape
    got = create_parser("json").parse({"status_code": 200, "headers": {}, "body": body.encode()}, shape)
    return {"operation": name, "body": body, "want": plain(got)}


arn = "arn:aws:rekognition:eu-west-1:123456789012:project/getränke/1700000000123"
s3 = {"S3Object": {"Bucket": "photos", "Name": "2026/été & co.jpg", "Version": "v1"}}
requests = [
    request("DetectLabels", Image={"Bytes": bytes(range(256))}),
    request("DetectLabels", Image=s3, MaxLabels=0, MinConfidence=99.9, Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"],
            Settings={"GeneralLabels": {"LabelInclusionFilters": ["Cat"], "LabelExclusionFilters": [],
                                        "LabelCategoryInclusionFilters": ["Animals and Pets"]},
                      "ImageProperties": {"MaxDominantColors": 3}}),
    request("DetectText", Image=s3, Filters={"WordFilter": {"MinConfidence": 80, "MinBoundingBoxHeight": 0.05},
            "RegionsOfInterest": [{"BoundingBox": {"Left": 0, "Top": 1e-7, "Width": 0.5, "Height": 1}},
                                  {"Polygon": [{"X": 0.25, "Y": 0.75}]}]}),
    request("DetectFaces", Image=s3, Attributes=["ALL"]),
    request("CreateProject", ProjectName="p", Feature="CUSTOM_LABELS", Tags={"team": "\"vision\"\t\\", "é": ""}),
    request("CreateProjectVersion", ProjectArn=arn, VersionName="v", OutputConfig={"S3Bucket": "out", "S3KeyPrefix": "k/"},
            TrainingData={"Assets": [{"GroundTruthManifest": s3}]}, TestingData={"Assets": [], "AutoCreate": True}),
    request("UpdateDatasetEntries", DatasetArn=arn, Changes={"GroundTruth": b'{"source-ref":"s3://b/k"}\n'}),
    request("ListDatasetEntries", DatasetArn=arn, ContainsLabels=["a"], Labeled=True, HasErrors=False, MaxResults=100),
    request("StartProjectVersion", ProjectVersionArn=arn, MinInferenceUnits=1),
    request("ListStreamProcessors"),
]
color = '{"Red":255,"Blue":0,"Green":128,"HexCode":"#FF8000","CSSColor":"darkorange","SimplifiedColor":"orange","PixelPercent":12.5}'
part = '{"Quality":{"Brightness":50.25,"Sharpness":1e-7,"Contrast":100},"DominantColors":[%s]}' % color
responses = [
    response("DetectLabels", '{"Labels":[{"Name":"Bicycle","Confidence":99.12345,"Instances":[{"BoundingBox":{"Width":0.1,"Height":0.2,'
             '"Left":0.3,"Top":0},"Confidence":98.5,"DominantColors":[' + color + ']}],"Parents":[{"Name":"Vehicle"}],"Aliases":[],'
             '"Categories":[{"Name":"Vehicles and Automotive"}]}],"OrientationCorrection":null,"LabelModelVersion":"3.0",'
             '"ImageProperties":{"Quality":{"Brightness":1,"Sharpness":2,"Contrast":3},"DominantColors":[],"Foreground":' + part + ',"Background":' + part + '},'
             '"FutureField":{"a":[1,null]}}'),
    response("DetectLabels", '{"Labels":[]}'),
    response("DescribeProjects", '{"ProjectDescriptions":[{"ProjectArn":"' + arn + '","CreationTimestamp":1700000000.123,"Status":"CREATED",'
             '"Datasets":[{"CreationTimestamp":1.7E9,"DatasetType":"TRAIN","Status":"CREATE_COMPLETE","StatusMessage":null}]}],"NextToken":"a\\u00e9\\/=="}'),
    response("DetectText", '{"TextDetections":[{"DetectedText":"\\ud83d\\ude00 \\"STOP\\"","Type":"WORD","Id":1,"ParentId":0,"Confidence":99,'
             '"Geometry":{"BoundingBox":{"Left":-0.001},"Polygon":[{"X":0.1,"Y":0.2}]}}],"TextModelVersion":"3.0"}'),
    response("DetectFaces", '{"FaceDetails":[{"AgeRange":{"Low":20,"High":30},"Smile":{"Value":false,"Confidence":77.7},"Beard":{"Value":true,"Confidence":51},'
             '"Emotions":[{"Type":"CALM","Confidence":90}],"Landmarks":[{"Type":"eyeLeft","X":0.5,"Y":0.5}],"Pose":{"Roll":-1.5,"Yaw":180,"Pitch":0}}]}'),
    response("ListTagsForResource", '{"Tags":{"b":"2","a":"\\u0001"}}'),
    response("GetFaceLivenessSessionResults", '{"SessionId":"s","Status":"SUCCEEDED","Confidence":99.5,"ReferenceImage":{"Bytes":"AP/+"},"AuditImages":[]}'),
    response("DeleteDataset", '{}'),
]

out = pathlib.Path(__file__).parent.parent / "api" / "rekognition" / "codec" / "testdata"
out.mkdir(parents=True, exist_ok=True)
for name, cases in (("requests", requests), ("responses", responses)):
    (out / (name + ".json")).write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
