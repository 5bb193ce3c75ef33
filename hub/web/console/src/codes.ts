// The few FHIR codes that the pages say in words of their own; all others keep their display.
import type { CodeableConcept } from "./fhir";
import type { Language } from "./words";

const CODES: Record<string, readonly [string, string]> = {
  // Encounter.class
  AMB: ["outpatient", "门诊"],
  EMER: ["emergency", "急诊"],
  FLD: ["in the field", "外勤"],
  HH: ["at home", "上门"],
  IMP: ["inpatient", "住院"],
  OBSENC: ["observation", "留观"],
  VR: ["by video", "视频"],
  // Statuses of encounters, requests, plans and documents
  planned: ["planned", "计划中"],
  arrived: ["arrived", "已到达"],
  "in-progress": ["in progress", "进行中"],
  onleave: ["on leave", "请假"],
  finished: ["finished", "已结束"],
  cancelled: ["cancelled", "已取消"],
  draft: ["draft", "草稿"],
  active: ["active", "有效"],
  "on-hold": ["on hold", "暂停"],
  revoked: ["revoked", "已撤销"],
  completed: ["completed", "已完成"],
  stopped: ["stopped", "已停止"],
  "not-done": ["not done", "未执行"],
  proposed: ["proposed", "待确认"],
  pending: ["pending", "待确认"],
  booked: ["booked", "已预约"],
  fulfilled: ["kept", "已就诊"],
  noshow: ["did not come", "未到诊"],
  rejected: ["rejected", "已拒绝"],
  inactive: ["inactive", "无效"],
  "entered-in-error": ["entered in error", "录入错误"],
  unknown: ["unknown", "未知"],
  // Condition.clinicalStatus
  recurrence: ["recurrence", "复发"],
  relapse: ["relapse", "复发"],
  remission: ["remission", "缓解"],
  resolved: ["resolved", "已痊愈"],
  // AllergyIntolerance.criticality
  "unable-to-assess": ["risk not known", "风险未知"],
  // Types of identifiers
  NI: ["national ID", "身份证号"],
  MR: ["record number", "病历号"],
  PPN: ["passport", "护照"],
  SS: ["social security", "社保号"],
  // LOINC displays that nobody says
  "85354-9": ["Blood pressure", "血压"],
};

/** A code in words; the code itself when there are none. */
export function codeText(code: string | undefined, language: Language): string {
  const words = code === undefined ? undefined : CODES[code];
  return words ? words[language === "zh" ? 1 : 0] : (code ?? "");
}

/** The words of a concept's first code that has some here; "" when none has. */
export function knownConcept(concept: CodeableConcept | undefined, language: Language): string {
  for (const coding of concept?.coding ?? [])
    if (coding.code !== undefined && CODES[coding.code]) return codeText(coding.code, language);
  return "";
}
