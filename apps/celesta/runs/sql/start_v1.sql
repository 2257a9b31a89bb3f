-- Write a run with its nodes and gates, and the hints of its first wave, in the caller's transaction.
-- A run that was started before under the same idempotency key is returned instead (created = false);
-- the same id again is the same start (its outcome was unknown to the caller).
CREATE FUNCTION celesta_start_v1(
  p_run uuid, p_workspace bigint, p_workflow bigint, p_version bigint, p_params jsonb,
  p_key text, p_digest text, p_trigger text, p_trigger_ref text, p_by text,
  p_deadline float8,
  OUT run_id uuid, OUT digest text, OUT created boolean, OUT sent jsonb, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_nodes int[];
BEGIN
  sent := '[]'; created := false;
  INSERT INTO celesta_run (id, workspace_id, workflow_id, version_id, state, params, trigger, trigger_ref,
    idempotency_key, request_digest, next_scope, created_by, created_at)
  VALUES (p_run, p_workspace, p_workflow, p_version, 'pending', p_params, p_trigger, p_trigger_ref,
    p_key, p_digest, 1, p_by, v_at)
  ON CONFLICT DO NOTHING RETURNING id INTO run_id;
  IF NOT FOUND THEN
    SELECT r.id, r.request_digest INTO run_id, digest FROM celesta_run r
    WHERE r.id = p_run OR (r.workspace_id = p_workspace AND r.idempotency_key = p_key);
    RETURN;
  END IF;
  digest := p_digest; created := true; at := v_at;
  INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses, ready_at)
  SELECT p_run, 0, p.node, CASE WHEN p.root THEN 'ready' ELSE 'pending' END, 0, 0,
         CASE WHEN p.root THEN v_at END
  FROM celesta_plan_node p WHERE p.version_id = p_version AND NOT p.detached ORDER BY p.node;
  INSERT INTO celesta_gate (run_id, scope, gate, succeeded, failed, skipped, fired)
  SELECT p_run, 0, q.gate, 0, 0, 0, false
  FROM celesta_plan_gate q WHERE q.version_id = p_version AND q.total > 1 ORDER BY q.gate;
  INSERT INTO celesta_event (run_id, at, kind) VALUES (p_run, v_at, 'run_pending');
  IF p_deadline IS NOT NULL THEN
    INSERT INTO celesta_timer (run_id, kind, due_at)
    VALUES (p_run, 'deadline', v_at + make_interval(secs => p_deadline));
  END IF;
  SELECT array_agg(p.node ORDER BY p.node) INTO v_nodes
  FROM celesta_plan_node p WHERE p.version_id = p_version AND p.root;
  sent := celesta_travel_v1(p_run, p_version, v_at, array_fill(0, ARRAY[cardinality(v_nodes)]), v_nodes);
END $$;
