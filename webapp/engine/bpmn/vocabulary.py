"""What the engine carries out, and the attributes that it understands. Everything else is refused by `checks`."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.engine.sentences import _

# Children of a process or subprocess that carry no behaviour.
SILENT = frozenset(
    [
        "documentation",
        "extensionElements",
        "sequenceFlow",
        "laneSet",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "property",
        "auditing",
        "monitoring",
        "category",
        "incoming",
        "outgoing",
        "ioSpecification",
    ]
)
# Children of the document that carry no behaviour by themselves (messages and the like are looked up by reference).
DOCUMENT = frozenset(
    [
        "process",
        "message",
        "signal",
        "error",
        "escalation",
        "collaboration",
        "itemDefinition",
        "dataStore",
        "category",
        "documentation",
        "extensionElements",
        "relationship",
        "resource",
        "correlationProperty",
    ]
)

UNSUPPORTED: Mapping[str, str] = {
    "complexGateway": _("复杂网关"),
    "adHocSubProcess": _("临时（ad-hoc）子流程"),
    "subChoreography": _("编排"),
    "callChoreography": _("编排"),
    "choreographyTask": _("编排"),
}

DEFINITIONS: Mapping[str, frozenset[str]] = {
    "process start": frozenset({"none", "message", "timer", "signal"}),
    "subProcess start": frozenset({"none"}),
    "transaction start": frozenset({"none"}),
    "event start": frozenset({"message", "signal", "timer", "conditional", "error", "escalation", "compensate"}),
    "endEvent": frozenset({"none", "message", "signal", "error", "escalation", "terminate", "compensate", "cancel"}),
    "intermediateCatchEvent": frozenset({"message", "signal", "timer", "conditional", "link"}),
    "intermediateThrowEvent": frozenset({"none", "message", "signal", "escalation", "compensate", "link"}),
    "boundaryEvent": frozenset(
        {"message", "signal", "timer", "conditional", "error", "escalation", "compensate", "cancel"}
    ),
}
EVENT_NAMES: Mapping[str, str] = {
    "none": _("无触发"),
    "message": _("消息"),
    "signal": _("信号"),
    "timer": _("定时"),
    "error": _("错误"),
    "escalation": _("升级"),
    "terminate": _("终止"),
    "compensate": _("补偿"),
    "link": _("链接"),
    "conditional": _("条件"),
    "cancel": _("取消"),
}

# camunda attributes that need no effect here: a step is durable by itself, and the database keeps all history.
HARMLESS = frozenset(
    [
        "asyncBefore",
        "asyncAfter",
        "exclusive",
        "jobPriority",
        "taskPriority",
        "historyTimeToLive",
        "versionTag",
        "isStartableInTasklist",
        "modelerTemplate",
        "modelerTemplateVersion",
        "modelerTemplateIcon",
        "executionPlatform",
        "executionPlatformVersion",
    ]
)
_MAPPED: Mapping[str, str] = {
    "process": "candidateStarterGroups",
    "userTask": "candidateGroups candidateUsers assignee dueDate priority formRef formRefBinding",
    "serviceTask": "topic type",
    "sendTask": "topic type",
    "businessRuleTask": "topic type decisionRef decisionRefBinding resultVariable mapDecisionResult",
    "scriptTask": "resultVariable",
    "callActivity": "calledElementBinding calledElementVersion",
    "messageEventDefinition": "topic type",
    "errorEventDefinition": "errorCodeVariable errorMessageVariable",
    "escalationEventDefinition": "escalationCodeVariable",
    "multiInstanceLoopCharacteristics": "collection elementVariable",
}
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    name: frozenset(attributes.split()) | HARMLESS for name, attributes in _MAPPED.items()
}
# camunda extension elements that are carried out (or need no effect).
EXTENSIONS = frozenset(["inputOutput", "properties", "in", "out", "failedJobRetryTimeCycle"])
REASONS: Mapping[str, str] = {
    "class": _("Java 类"),
    "delegateExpression": _("Java 委托表达式"),
    "expression": _("JUEL 表达式"),
    "formKey": _("formKey（请用 camunda:formRef 指明表单）"),
    "followUpDate": _("跟进日期"),
    "formData": _("内嵌表单（请用 camunda:formRef 指明表单）"),
    "executionListener": _("执行监听器"),
    "taskListener": _("任务监听器"),
    "connector": _("连接器"),
    "field": _("字段注入"),
    "initiator": _("initiator（发起人由系统记录）"),
    "variableMappingClass": _("Java 类"),
    "resource": _("外部脚本文件"),
}
