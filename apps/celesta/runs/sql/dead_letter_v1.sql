-- What tells one failure from another whatever its text: the code, the class, and the message without
-- quoted strings, ids and numbers.
CREATE FUNCTION celesta_fingerprint_v1(p_error jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  m text := coalesce(p_error ->> 'message', '');
BEGIN
  m := regexp_replace(m, '''[^'']*''|"[^"]*"|`[^`]*`', '?', 'g');
  m := regexp_replace(m, '\m[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\M', '?', 'g');
  m := regexp_replace(m, '\m\w*[0-9]\w*\M', '?', 'g');
  m := regexp_replace(m, '\?([-.,:/]\?)+', '?', 'g');
  m := regexp_replace(m, '\s+', ' ', 'g');
  RETURN left(md5(coalesce(p_error ->> 'code', '') || '|' ||
    coalesce(p_error -> 'details' ->> 'type', '') || '|' || m), 16);
END $$;

-- Keep the nodes whose failure failed a run, for people to decide on. Called when a run ends as failed.
CREATE FUNCTION celesta_bury_v1(p_run uuid, p_version bigint, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO celesta_dead_letter (run_id, workspace_id, workflow_id, node, name, attempt, code, message,
    fingerprint, state, at, decided_by, reason)
  SELECT p_run, r.workspace_id, r.workflow_id, n.node, p.name, n.attempt,
         left(coalesce(o.error ->> 'code', 'unknown'), 100), left(coalesce(o.error ->> 'message', ''), 2000),
         celesta_fingerprint_v1(o.error), 'open', p_at, '', ''
  FROM celesta_node_run n
  JOIN celesta_run r ON r.id = p_run
  JOIN celesta_plan_node p ON p.version_id = p_version AND p.node = n.node
  LEFT JOIN celesta_output o ON o.run_id = p_run AND o.scope = 0 AND o.node = n.node
  WHERE n.run_id = p_run AND n.scope = 0 AND n.state = 'failed' AND NOT p.handled AND p.compensates < 0
  ORDER BY n.node;
END $$;
