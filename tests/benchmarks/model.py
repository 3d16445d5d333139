"""The benchmark's process: start, task, gateway, service task, task, end."""

from __future__ import annotations

USER, PASSWORD = "benchmark", "qianyin-benchmark"

MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="https://qianyin.example/benchmarks">
  <bpmn:process id="benchmark" name="Benchmark" isExecutable="true" camunda:candidateStarterGroups="office">
    <bpmn:startEvent id="started"/>
    <bpmn:userTask id="ask" name="Ask" camunda:candidateGroups="office"/>
    <bpmn:exclusiveGateway id="large" default="f4"/>
    <bpmn:serviceTask id="note" name="Note" camunda:topic="benchmark.note"/>
    <bpmn:userTask id="approve" name="Approve" camunda:candidateGroups="office"/>
    <bpmn:endEvent id="done"/>
    <bpmn:sequenceFlow id="f1" sourceRef="started" targetRef="ask"/>
    <bpmn:sequenceFlow id="f2" sourceRef="ask" targetRef="large"/>
    <bpmn:sequenceFlow id="f3" sourceRef="large" targetRef="note">
      <bpmn:conditionExpression>amount &gt; 100</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" sourceRef="large" targetRef="done"/>
    <bpmn:sequenceFlow id="f5" sourceRef="note" targetRef="approve"/>
    <bpmn:sequenceFlow id="f6" sourceRef="approve" targetRef="done"/>
  </bpmn:process>
</bpmn:definitions>
"""

VARIABLES = {
    "amount": {"value": 500, "type": "Integer"},
    "name": {"value": "Ada Lovelace", "type": "String"},
    "items": {"value": '["a", "b", "c"]', "type": "Json"},
}

#: The tables of the floor.
FLOOR_TABLES = """
create table floor_instance(id uuid primary key, version int not null, status text not null, state bytea);
create table floor_history(id uuid primary key, instance_id uuid not null, name text, at timestamptz, data text);
create table floor_task(id uuid primary key, instance_id uuid not null, name text, status text, at timestamptz);
create index floor_history_instance on floor_history(instance_id);
create index floor_task_status on floor_task(status, at);
"""
