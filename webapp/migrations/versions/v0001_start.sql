-- All tables as version 0.1.0 had them. Never edited: a later migration changes them.

CREATE TABLE organisation (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  credit_code TEXT,
  kind TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_organisation PRIMARY KEY (id),
  CONSTRAINT uq_organisation_credit_code UNIQUE (credit_code)
);

CREATE TABLE setting (
  key TEXT NOT NULL,
  value JSONB NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  updated_by UUID,
  CONSTRAINT pk_setting PRIMARY KEY (key)
);

CREATE TABLE failed_login (
  id UUID NOT NULL,
  username TEXT NOT NULL,
  address TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_failed_login PRIMARY KEY (id)
);

CREATE INDEX ix_failed_login_address ON failed_login (address, at);

CREATE TABLE demo_clock (
  id SERIAL NOT NULL,
  offset_seconds BIGINT NOT NULL,
  CONSTRAINT pk_demo_clock PRIMARY KEY (id),
  CONSTRAINT ck_demo_clock_one_row CHECK (id = 1)
);

CREATE TABLE document (
  id UUID NOT NULL,
  digest TEXT NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  filename TEXT NOT NULL,
  kind TEXT NOT NULL,
  pages INTEGER,
  flags TEXT[] NOT NULL,
  root_instance_id UUID,
  instance_id UUID,
  org_id UUID,
  public BOOLEAN NOT NULL,
  made_from JSONB,
  uploaded_by UUID,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_document PRIMARY KEY (id)
);

CREATE INDEX ix_document_digest ON document (digest);

CREATE INDEX ix_document_root_instance ON document (root_instance_id);

CREATE TABLE deployment (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  source TEXT,
  comment TEXT,
  deployed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  deployed_by UUID,
  CONSTRAINT pk_deployment PRIMARY KEY (id)
);

CREATE TABLE activity_history (
  id UUID NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
  instance_id UUID NOT NULL,
  node UUID NOT NULL,
  element_id TEXT NOT NULL,
  element_name TEXT NOT NULL,
  element_type TEXT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  cancelled BOOLEAN DEFAULT false NOT NULL,
  actor_id UUID,
  task_id UUID,
  variables JSONB,
  CONSTRAINT pk_activity_history PRIMARY KEY (id, ended_at)
)
 PARTITION BY RANGE (ended_at);

CREATE INDEX ix_activity_history_instance ON activity_history (instance_id, ended_at);

CREATE TABLE message (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  kind TEXT DEFAULT 'message' NOT NULL,
  name TEXT NOT NULL,
  correlation_key TEXT,
  payload JSONB NOT NULL,
  sender_instance_id UUID,
  status TEXT DEFAULT 'waiting' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  delivered_at TIMESTAMP WITH TIME ZONE,
  receiver_instance_id UUID,
  subscription_id UUID,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_status CHECK (status in ('waiting','delivered','expired'))
);

CREATE INDEX ix_message_waiting ON message (name, correlation_key) WHERE status = 'waiting';

CREATE TABLE audit (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id UUID,
  action TEXT NOT NULL,
  instance_id UUID,
  task_id UUID,
  subject TEXT,
  reason TEXT,
  detail JSONB,
  address TEXT,
  CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_actor ON audit (actor_id, at);

CREATE INDEX ix_audit_instance ON audit (instance_id, at);

CREATE TABLE draft (
  task_id UUID NOT NULL,
  account_id UUID NOT NULL,
  data JSONB NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_draft PRIMARY KEY (task_id, account_id)
);

CREATE TABLE public_act (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_public_act PRIMARY KEY (id)
);

CREATE INDEX ix_public_act_recent ON public_act (kind, address, at);

CREATE TABLE barred_entry (
  id UUID NOT NULL,
  credit_code TEXT NOT NULL,
  name TEXT NOT NULL,
  clause TEXT NOT NULL,
  decision_number TEXT NOT NULL,
  decided_on DATE NOT NULL,
  annulled_on DATE,
  reason TEXT NOT NULL,
  CONSTRAINT pk_barred_entry PRIMARY KEY (id)
);

CREATE INDEX ix_barred_entry_credit_code ON barred_entry (credit_code);

CREATE TABLE interpretation (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  clause TEXT NOT NULL,
  topic TEXT NOT NULL,
  text TEXT NOT NULL,
  signed_by TEXT NOT NULL,
  signed_on DATE NOT NULL,
  CONSTRAINT pk_interpretation PRIMARY KEY (id),
  CONSTRAINT uq_interpretation_number UNIQUE (number)
);

CREATE TABLE publicity_batch (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  instance_id UUID,
  status TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_publicity_batch PRIMARY KEY (id),
  CONSTRAINT uq_publicity_batch_number UNIQUE (number)
);

CREATE TABLE register_change (
  id UUID NOT NULL,
  register TEXT NOT NULL,
  entry_id UUID NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id UUID,
  instance_id UUID,
  action TEXT NOT NULL,
  before JSONB,
  after JSONB,
  CONSTRAINT pk_register_change PRIMARY KEY (id)
);

CREATE INDEX ix_register_change_entry ON register_change (register, entry_id, at);

CREATE TABLE serial_number (
  kind TEXT NOT NULL,
  year INTEGER NOT NULL,
  last INTEGER NOT NULL,
  CONSTRAINT pk_serial_number PRIMARY KEY (kind, year)
);

CREATE TABLE evaluation_round (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  year INTEGER NOT NULL,
  quarter INTEGER NOT NULL,
  instance_id UUID,
  status TEXT NOT NULL,
  indicators JSONB NOT NULL,
  experts JSONB NOT NULL,
  frozen_at TIMESTAMP WITH TIME ZONE,
  opened_at TIMESTAMP WITH TIME ZONE,
  report_due_at TIMESTAMP WITH TIME ZONE,
  total_units INTEGER NOT NULL,
  opened_units INTEGER NOT NULL,
  settled_units INTEGER NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  pdf_id UUID,
  xlsx_id UUID,
  CONSTRAINT pk_evaluation_round PRIMARY KEY (id),
  CONSTRAINT uq_evaluation_round_year_quarter UNIQUE (year, quarter),
  CONSTRAINT uq_evaluation_round_number UNIQUE (number)
);

CREATE TABLE account (
  id UUID NOT NULL,
  username TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  organisation_id UUID,
  active BOOLEAN NOT NULL,
  locale TEXT NOT NULL,
  theme TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  last_login_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_account PRIMARY KEY (id),
  CONSTRAINT uq_account_username UNIQUE (username),
  CONSTRAINT fk_account_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);

CREATE TABLE deployment_resource (
  id UUID NOT NULL,
  deployment_id UUID NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  content BYTEA NOT NULL,
  CONSTRAINT pk_deployment_resource PRIMARY KEY (id),
  CONSTRAINT uq_deployment_resource_deployment_id_name UNIQUE (deployment_id, name),
  CONSTRAINT fk_deployment_resource_deployment_id_deployment FOREIGN KEY(deployment_id) REFERENCES deployment (id)
);

CREATE TABLE process_definition (
  id UUID NOT NULL,
  deployment_id UUID NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  resource_name TEXT NOT NULL,
  digest TEXT NOT NULL,
  suspended BOOLEAN DEFAULT false NOT NULL,
  info JSONB NOT NULL,
  elements JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_process_definition PRIMARY KEY (id),
  CONSTRAINT uq_process_definition_key_version UNIQUE (key, version),
  CONSTRAINT fk_process_definition_deployment_id_deployment FOREIGN KEY(deployment_id) REFERENCES deployment (id)
);

CREATE TABLE decision_definition (
  id UUID NOT NULL,
  deployment_id UUID NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  resource_name TEXT NOT NULL,
  CONSTRAINT pk_decision_definition PRIMARY KEY (id),
  CONSTRAINT uq_decision_definition_key_version UNIQUE (key, version),
  CONSTRAINT fk_decision_definition_deployment_id_deployment FOREIGN KEY(deployment_id) REFERENCES deployment (id)
);

CREATE TABLE lead_unit (
  id UUID NOT NULL,
  organisation_id UUID NOT NULL,
  credit_code TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  rectifying BOOLEAN NOT NULL,
  under_expulsion BOOLEAN NOT NULL,
  legal_rep TEXT NOT NULL,
  address TEXT NOT NULL,
  registered_capital NUMERIC,
  founded_on DATE,
  industry TEXT NOT NULL,
  contact TEXT NOT NULL,
  phone TEXT NOT NULL,
  listed_on DATE,
  CONSTRAINT pk_lead_unit PRIMARY KEY (id),
  CONSTRAINT uq_lead_unit_organisation_id UNIQUE (organisation_id),
  CONSTRAINT fk_lead_unit_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
  CONSTRAINT uq_lead_unit_credit_code UNIQUE (credit_code)
);

CREATE TABLE published_list (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  batch_id UUID,
  title TEXT NOT NULL,
  published_on DATE NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  added INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  CONSTRAINT pk_published_list PRIMARY KEY (id),
  CONSTRAINT uq_published_list_number UNIQUE (number),
  CONSTRAINT fk_published_list_batch_id_publicity_batch FOREIGN KEY(batch_id) REFERENCES publicity_batch (id)
);

CREATE TABLE account_role (
  account_id UUID NOT NULL,
  role TEXT NOT NULL,
  CONSTRAINT pk_account_role PRIMARY KEY (account_id, role),
  CONSTRAINT fk_account_role_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_role_role ON account_role (role);

CREATE TABLE process_instance (
  id UUID NOT NULL,
  definition_id UUID NOT NULL,
  definition_key TEXT NOT NULL,
  business_key TEXT,
  title TEXT DEFAULT '' NOT NULL,
  status TEXT NOT NULL,
  suspended BOOLEAN DEFAULT false NOT NULL,
  version INTEGER DEFAULT '1' NOT NULL,
  state BYTEA NOT NULL,
  tokens JSONB DEFAULT '[]' NOT NULL,
  stage TEXT,
  org_id UUID,
  started_by UUID,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  end_reason TEXT,
  super_instance_id UUID,
  super_node UUID,
  root_instance_id UUID NOT NULL,
  search TSVECTOR,
  CONSTRAINT pk_process_instance PRIMARY KEY (id),
  CONSTRAINT ck_process_instance_status CHECK (status in ('active','completed','terminated','cancelled','failed')),
  CONSTRAINT fk_process_instance_definition_id_process_definition FOREIGN KEY(definition_id) REFERENCES process_definition (id)
);

CREATE INDEX ix_process_instance_root ON process_instance (root_instance_id);

CREATE INDEX ix_process_instance_started_by ON process_instance (started_by, started_at DESC);

CREATE INDEX ix_process_instance_org ON process_instance (org_id, started_at DESC);

CREATE INDEX ix_process_instance_definition_status ON process_instance (definition_key, status, started_at DESC, id DESC);

CREATE INDEX ix_process_instance_business_key ON process_instance (business_key);

CREATE INDEX ix_process_instance_search ON process_instance USING gin (search);

CREATE TABLE comment (
  id UUID NOT NULL,
  root_instance_id UUID NOT NULL,
  instance_id UUID NOT NULL,
  task_id UUID,
  author_id UUID NOT NULL,
  internal BOOLEAN NOT NULL,
  words TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_comment PRIMARY KEY (id),
  CONSTRAINT fk_comment_author_id_account FOREIGN KEY(author_id) REFERENCES account (id)
);

CREATE INDEX ix_comment_root ON comment (root_instance_id, created_at);

CREATE TABLE stock_phrase (
  id UUID NOT NULL,
  account_id UUID,
  scope TEXT NOT NULL,
  words TEXT NOT NULL,
  CONSTRAINT pk_stock_phrase PRIMARY KEY (id),
  CONSTRAINT fk_stock_phrase_account_id_account FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_stock_phrase_account_id ON stock_phrase (account_id);

CREATE TABLE saved_view (
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  CONSTRAINT pk_saved_view PRIMARY KEY (id),
  CONSTRAINT fk_saved_view_account_id_account FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE INDEX ix_saved_view_account_id ON saved_view (account_id);

CREATE TABLE notice (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  number TEXT,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  status TEXT NOT NULL,
  batch_id UUID,
  list_id UUID,
  corrects_id UUID,
  signed_by TEXT,
  published_at TIMESTAMP WITH TIME ZONE,
  period_days INTEGER,
  period_starts_on DATE,
  period_ends_at TIMESTAMP WITH TIME ZONE,
  pdf_id UUID,
  docx_id UUID,
  CONSTRAINT pk_notice PRIMARY KEY (id),
  CONSTRAINT uq_notice_number UNIQUE (number),
  CONSTRAINT fk_notice_batch_id_publicity_batch FOREIGN KEY(batch_id) REFERENCES publicity_batch (id),
  CONSTRAINT fk_notice_list_id_published_list FOREIGN KEY(list_id) REFERENCES published_list (id),
  CONSTRAINT fk_notice_corrects_id_notice FOREIGN KEY(corrects_id) REFERENCES notice (id)
);

CREATE INDEX ix_notice_batch_id ON notice (batch_id);

CREATE INDEX ix_notice_public ON notice (status, published_at);

CREATE TABLE consortium_enterprise (
  id UUID NOT NULL,
  lead_unit_id UUID NOT NULL,
  name TEXT NOT NULL,
  credit_code TEXT NOT NULL,
  legal_rep TEXT NOT NULL,
  address TEXT NOT NULL,
  registered_capital NUMERIC,
  founded_on DATE,
  need TEXT NOT NULL,
  programme TEXT NOT NULL,
  since DATE NOT NULL,
  since_list_id UUID,
  until DATE,
  until_reason TEXT,
  filing_item_id UUID,
  CONSTRAINT pk_consortium_enterprise PRIMARY KEY (id),
  CONSTRAINT fk_consortium_enterprise_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id),
  CONSTRAINT fk_consortium_enterprise_since_list_id_published_list FOREIGN KEY(since_list_id) REFERENCES published_list (id)
);

CREATE INDEX ix_consortium_enterprise_code ON consortium_enterprise (credit_code);

CREATE UNIQUE INDEX uq_consortium_enterprise_current ON consortium_enterprise (lead_unit_id, credit_code) WHERE until is null;

CREATE TABLE expulsion (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  lead_unit_id UUID NOT NULL,
  instance_id UUID,
  status TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  opened_by UUID,
  source TEXT NOT NULL,
  bar_known BOOLEAN NOT NULL,
  told_number TEXT,
  told_at TIMESTAMP WITH TIME ZONE,
  statement_due_at TIMESTAMP WITH TIME ZONE,
  statements JSONB NOT NULL,
  proposal JSONB NOT NULL,
  legality JSONB NOT NULL,
  agenda JSONB NOT NULL,
  decision_title TEXT NOT NULL,
  decision_words TEXT NOT NULL,
  notice_id UUID,
  decision_number TEXT,
  decided_on DATE,
  ended_cases JSONB NOT NULL,
  handover JSONB NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  closed_reason TEXT NOT NULL,
  CONSTRAINT pk_expulsion PRIMARY KEY (id),
  CONSTRAINT uq_expulsion_number UNIQUE (number),
  CONSTRAINT fk_expulsion_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id),
  CONSTRAINT uq_expulsion_decision_number UNIQUE (decision_number)
);

CREATE INDEX ix_expulsion_lead_unit_id ON expulsion (lead_unit_id);

CREATE UNIQUE INDEX uq_expulsion_open ON expulsion (lead_unit_id) WHERE closed_at is null;

CREATE TABLE filing (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  lead_unit_id UUID NOT NULL,
  instance_id UUID,
  status TEXT NOT NULL,
  need TEXT NOT NULL,
  programme TEXT NOT NULL,
  submitted_at TIMESTAMP WITH TIME ZONE,
  submitted_by UUID,
  closed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_filing PRIMARY KEY (id),
  CONSTRAINT uq_filing_number UNIQUE (number),
  CONSTRAINT fk_filing_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_filing_lead_unit_id ON filing (lead_unit_id);

CREATE TABLE pilot_enterprise (
  id UUID NOT NULL,
  credit_code TEXT NOT NULL,
  name TEXT NOT NULL,
  lead_unit_id UUID,
  programme TEXT NOT NULL,
  industry TEXT NOT NULL,
  district TEXT NOT NULL,
  contact TEXT NOT NULL,
  phone TEXT NOT NULL,
  listed_on DATE NOT NULL,
  until DATE,
  CONSTRAINT pk_pilot_enterprise PRIMARY KEY (id),
  CONSTRAINT uq_pilot_enterprise_credit_code UNIQUE (credit_code),
  CONSTRAINT fk_pilot_enterprise_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_pilot_enterprise_lead_unit_id ON pilot_enterprise (lead_unit_id);

CREATE TABLE commitment (
  id UUID NOT NULL,
  lead_unit_id UUID NOT NULL,
  year INTEGER NOT NULL,
  version INTEGER NOT NULL,
  signed_on DATE NOT NULL,
  effective_quarter INTEGER NOT NULL,
  signed_by_unit TEXT NOT NULL,
  signed_by_group TEXT NOT NULL,
  indicators JSONB NOT NULL,
  CONSTRAINT pk_commitment PRIMARY KEY (id),
  CONSTRAINT uq_commitment_lead_unit_id_year_version UNIQUE (lead_unit_id, year, version),
  CONSTRAINT fk_commitment_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_commitment_lead_unit_id ON commitment (lead_unit_id);

CREATE TABLE evaluation_result (
  id UUID NOT NULL,
  round_id UUID NOT NULL,
  lead_unit_id UUID NOT NULL,
  instance_id UUID,
  status TEXT NOT NULL,
  newly_admitted BOOLEAN NOT NULL,
  report_due_at TIMESTAMP WITH TIME ZONE,
  reminded_at TIMESTAMP WITH TIME ZONE,
  urged_at TIMESTAMP WITH TIME ZONE,
  reported_at TIMESTAMP WITH TIME ZONE,
  late BOOLEAN NOT NULL,
  report JSONB NOT NULL,
  report_words TEXT NOT NULL,
  figures JSONB NOT NULL,
  expert_scores JSONB NOT NULL,
  scored_at TIMESTAMP WITH TIME ZONE,
  scores JSONB NOT NULL,
  total NUMERIC,
  grade TEXT,
  statement TEXT NOT NULL,
  stated_at TIMESTAMP WITH TIME ZONE,
  statement_answer TEXT NOT NULL,
  arrangement TEXT NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_evaluation_result PRIMARY KEY (id),
  CONSTRAINT uq_evaluation_result_round_id_lead_unit_id UNIQUE (round_id, lead_unit_id),
  CONSTRAINT fk_evaluation_result_round_id_evaluation_round FOREIGN KEY(round_id) REFERENCES evaluation_round (id),
  CONSTRAINT fk_evaluation_result_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_evaluation_result_lead_unit_id ON evaluation_result (lead_unit_id);

CREATE INDEX ix_evaluation_result_unopened ON evaluation_result (round_id) WHERE instance_id is null;

CREATE TABLE user_task (
  id UUID NOT NULL,
  instance_id UUID NOT NULL,
  root_instance_id UUID NOT NULL,
  definition_id UUID NOT NULL,
  definition_key TEXT NOT NULL,
  node UUID NOT NULL,
  element_id TEXT NOT NULL,
  name TEXT NOT NULL,
  title TEXT DEFAULT '' NOT NULL,
  business_key TEXT,
  status TEXT DEFAULT 'open' NOT NULL,
  candidate_groups TEXT[] DEFAULT '{}' NOT NULL,
  candidate_users UUID[] DEFAULT '{}' NOT NULL,
  org_id UUID,
  case_org_id UUID,
  assignee_id UUID,
  claimed_at TIMESTAMP WITH TIME ZONE,
  priority INTEGER DEFAULT '50' NOT NULL,
  clauses TEXT[] DEFAULT '{}' NOT NULL,
  form_ref TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE,
  due_provisional BOOLEAN DEFAULT false NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  completed_by UUID,
  outcome TEXT,
  form_data JSONB,
  search TSVECTOR,
  CONSTRAINT pk_user_task PRIMARY KEY (id),
  CONSTRAINT ck_user_task_status CHECK (status in ('open','completed','cancelled')),
  CONSTRAINT fk_user_task_instance_id_process_instance FOREIGN KEY(instance_id) REFERENCES process_instance (id)
);

CREATE INDEX ix_user_task_open_assignee ON user_task (assignee_id, due_at, id) WHERE status = 'open';

CREATE INDEX ix_user_task_open_groups ON user_task USING gin (candidate_groups) WHERE status = 'open';

CREATE INDEX ix_user_task_open_org ON user_task (case_org_id, due_at, id) WHERE status = 'open';

CREATE INDEX ix_user_task_root ON user_task (root_instance_id);

CREATE INDEX ix_user_task_completed_by ON user_task (completed_by, ended_at DESC) WHERE status = 'completed';

CREATE INDEX ix_user_task_search ON user_task USING gin (search) WHERE status = 'open';

CREATE INDEX ix_user_task_instance ON user_task (instance_id);

CREATE INDEX ix_user_task_open_process ON user_task (definition_key, due_at, id) WHERE status = 'open';

CREATE INDEX ix_user_task_open_due ON user_task (due_at, id) WHERE status = 'open';

CREATE INDEX ix_user_task_open_users ON user_task USING gin (candidate_users) WHERE status = 'open' and candidate_users <> '{}';

CREATE TABLE timer (
  id UUID NOT NULL,
  instance_id UUID,
  definition_id UUID,
  node UUID,
  element_id TEXT NOT NULL,
  cycle TEXT,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_timer PRIMARY KEY (id),
  CONSTRAINT fk_timer_instance_id_process_instance FOREIGN KEY(instance_id) REFERENCES process_instance (id)
);

CREATE INDEX ix_timer_due ON timer (due_at, id);

CREATE INDEX ix_timer_instance ON timer (instance_id);

CREATE TABLE event_subscription (
  id UUID NOT NULL,
  instance_id UUID,
  definition_id UUID,
  node UUID,
  element_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  correlation_key TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_event_subscription PRIMARY KEY (id),
  CONSTRAINT ck_event_subscription_kind CHECK (kind in ('message','signal')),
  CONSTRAINT fk_event_subscription_instance_id_process_instance FOREIGN KEY(instance_id) REFERENCES process_instance (id)
);

CREATE INDEX ix_event_subscription_instance ON event_subscription (instance_id);

CREATE INDEX ix_event_subscription_match ON event_subscription (kind, name, correlation_key);

CREATE TABLE job (
  id UUID NOT NULL,
  instance_id UUID NOT NULL,
  node UUID NOT NULL,
  element_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  topic TEXT NOT NULL,
  variables JSONB DEFAULT '{}' NOT NULL,
  retries_left INTEGER NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER DEFAULT '0' NOT NULL,
  error TEXT,
  actor_id UUID,
  worker_id TEXT,
  locked_until TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_job PRIMARY KEY (id),
  CONSTRAINT fk_job_instance_id_process_instance FOREIGN KEY(instance_id) REFERENCES process_instance (id)
);

CREATE INDEX ix_job_topic ON job (topic, due_at);

CREATE INDEX ix_job_due ON job (due_at);

CREATE INDEX ix_job_instance ON job (instance_id);

CREATE TABLE incident (
  id UUID NOT NULL,
  instance_id UUID,
  element_id TEXT,
  node UUID,
  job_id UUID,
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  detail TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  resolved_by UUID,
  CONSTRAINT pk_incident PRIMARY KEY (id),
  CONSTRAINT fk_incident_instance_id_process_instance FOREIGN KEY(instance_id) REFERENCES process_instance (id)
);

CREATE INDEX ix_incident_open ON incident (instance_id) WHERE resolved_at is null;

CREATE TABLE expulsion_ground (
  id UUID NOT NULL,
  expulsion_id UUID NOT NULL,
  clause TEXT NOT NULL,
  facts TEXT NOT NULL,
  evidence JSONB NOT NULL,
  source TEXT NOT NULL,
  entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  entered_by UUID,
  told_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_expulsion_ground PRIMARY KEY (id),
  CONSTRAINT uq_expulsion_ground_expulsion_id_clause UNIQUE (expulsion_id, clause),
  CONSTRAINT fk_expulsion_ground_expulsion_id_expulsion FOREIGN KEY(expulsion_id) REFERENCES expulsion (id)
);

CREATE TABLE expulsion_meeting (
  id UUID NOT NULL,
  expulsion_id UUID NOT NULL,
  seq INTEGER NOT NULL,
  met_on DATE NOT NULL,
  place TEXT NOT NULL,
  members JSONB NOT NULL,
  entitled INTEGER NOT NULL,
  present INTEGER NOT NULL,
  resolution TEXT NOT NULL,
  words TEXT NOT NULL,
  minutes TEXT NOT NULL,
  minutes_files JSONB NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_by UUID,
  CONSTRAINT pk_expulsion_meeting PRIMARY KEY (id),
  CONSTRAINT uq_expulsion_meeting_expulsion_id_seq UNIQUE (expulsion_id, seq),
  CONSTRAINT fk_expulsion_meeting_expulsion_id_expulsion FOREIGN KEY(expulsion_id) REFERENCES expulsion (id)
);

CREATE TABLE filing_item (
  id UUID NOT NULL,
  filing_id UUID NOT NULL,
  seq INTEGER NOT NULL,
  name TEXT NOT NULL,
  credit_code TEXT NOT NULL,
  legal_rep TEXT NOT NULL,
  id_kind TEXT NOT NULL,
  id_number TEXT NOT NULL,
  address TEXT NOT NULL,
  registered_capital NUMERIC,
  founded_on DATE,
  need TEXT NOT NULL,
  fiscal_year INTEGER,
  credit_report_on DATE,
  interpretation_id UUID,
  materials JSONB NOT NULL,
  warnings JSONB NOT NULL,
  review JSONB NOT NULL,
  instance_id UUID,
  batch_id UUID,
  status TEXT NOT NULL,
  correction_due_at TIMESTAMP WITH TIME ZONE,
  outcome_reason TEXT NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_filing_item PRIMARY KEY (id),
  CONSTRAINT fk_filing_item_filing_id_filing FOREIGN KEY(filing_id) REFERENCES filing (id),
  CONSTRAINT fk_filing_item_interpretation_id_interpretation FOREIGN KEY(interpretation_id) REFERENCES interpretation (id),
  CONSTRAINT fk_filing_item_batch_id_publicity_batch FOREIGN KEY(batch_id) REFERENCES publicity_batch (id)
);

CREATE INDEX ix_filing_item_credit_code ON filing_item (credit_code);

CREATE INDEX ix_filing_item_status ON filing_item (status);

CREATE INDEX ix_filing_item_batch_id ON filing_item (batch_id);

CREATE INDEX ix_filing_item_filing_id ON filing_item (filing_id);

CREATE TABLE retrofit_project (
  id UUID NOT NULL,
  number TEXT NOT NULL,
  title TEXT NOT NULL,
  pilot_enterprise_id UUID NOT NULL,
  lead_unit_id UUID NOT NULL,
  programme TEXT NOT NULL,
  contract_number TEXT NOT NULL,
  contract_amount NUMERIC NOT NULL,
  signed_on DATE NOT NULL,
  due_on DATE NOT NULL,
  done_on DATE,
  accepted_on DATE,
  status TEXT NOT NULL,
  level_before INTEGER NOT NULL,
  level_after INTEGER,
  CONSTRAINT pk_retrofit_project PRIMARY KEY (id),
  CONSTRAINT uq_retrofit_project_number UNIQUE (number),
  CONSTRAINT fk_retrofit_project_pilot_enterprise_id_pilot_enterprise FOREIGN KEY(pilot_enterprise_id) REFERENCES pilot_enterprise (id),
  CONSTRAINT fk_retrofit_project_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_retrofit_project_lead_unit_id ON retrofit_project (lead_unit_id);

CREATE INDEX ix_retrofit_project_pilot_enterprise_id ON retrofit_project (pilot_enterprise_id);

CREATE TABLE evaluation_consequence (
  id UUID NOT NULL,
  result_id UUID NOT NULL,
  lead_unit_id UUID NOT NULL,
  kind TEXT NOT NULL,
  clause TEXT NOT NULL,
  reason TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  instance_id UUID,
  CONSTRAINT pk_evaluation_consequence PRIMARY KEY (id),
  CONSTRAINT uq_evaluation_consequence_result_id_kind_clause UNIQUE (result_id, kind, clause),
  CONSTRAINT fk_evaluation_consequence_result_id_evaluation_result FOREIGN KEY(result_id) REFERENCES evaluation_result (id),
  CONSTRAINT fk_evaluation_consequence_lead_unit_id_lead_unit FOREIGN KEY(lead_unit_id) REFERENCES lead_unit (id)
);

CREATE INDEX ix_evaluation_consequence_result_id ON evaluation_consequence (result_id);

CREATE INDEX ix_evaluation_consequence_lead_unit_id ON evaluation_consequence (lead_unit_id);

CREATE TABLE notice_item (
  id UUID NOT NULL,
  notice_id UUID NOT NULL,
  seq INTEGER NOT NULL,
  filing_item_id UUID,
  lead_unit_name TEXT NOT NULL,
  name TEXT NOT NULL,
  credit_code TEXT NOT NULL,
  need TEXT NOT NULL,
  extra JSONB NOT NULL,
  CONSTRAINT pk_notice_item PRIMARY KEY (id),
  CONSTRAINT uq_notice_item_notice_id_seq UNIQUE (notice_id, seq),
  CONSTRAINT fk_notice_item_notice_id_notice FOREIGN KEY(notice_id) REFERENCES notice (id),
  CONSTRAINT fk_notice_item_filing_item_id_filing_item FOREIGN KEY(filing_item_id) REFERENCES filing_item (id)
);

CREATE INDEX ix_notice_item_notice_id ON notice_item (notice_id);

CREATE TABLE objection (
  id UUID NOT NULL,
  receipt_number TEXT NOT NULL,
  lookup_code TEXT NOT NULL,
  notice_id UUID NOT NULL,
  filing_item_id UUID NOT NULL,
  channel TEXT NOT NULL,
  topic TEXT NOT NULL,
  confidential BOOLEAN NOT NULL,
  objector_name TEXT NOT NULL,
  objector_contact TEXT NOT NULL,
  words TEXT NOT NULL,
  evidence JSONB NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  entered_by UUID,
  status TEXT NOT NULL,
  instance_id UUID,
  findings TEXT NOT NULL,
  reasons TEXT NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE,
  decided_by UUID,
  CONSTRAINT pk_objection PRIMARY KEY (id),
  CONSTRAINT uq_objection_receipt_number UNIQUE (receipt_number),
  CONSTRAINT fk_objection_notice_id_notice FOREIGN KEY(notice_id) REFERENCES notice (id),
  CONSTRAINT fk_objection_filing_item_id_filing_item FOREIGN KEY(filing_item_id) REFERENCES filing_item (id)
);

CREATE INDEX ix_objection_status ON objection (status);

CREATE INDEX ix_objection_notice_id ON objection (notice_id);

CREATE INDEX ix_objection_filing_item_id ON objection (filing_item_id);
