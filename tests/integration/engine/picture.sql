-- All that the rows of a run and of its slots say, in one statement: interleavings look at some
-- thousands of runs. By the keys of the tables, which lead with the run.
SELECT json_build_object(
  'run', (
    SELECT json_build_array(state, error ->> 'code', started_at IS NOT NULL,
                            paused_at IS NOT NULL, finished_at IS NOT NULL)
      FROM celesta_run WHERE id = %(run)s::uuid),
  'nodes', (
    SELECT json_agg(json_build_array(scope, node, state, attempt, losses, token, slot)
                    ORDER BY scope, node)
      FROM celesta_node_run WHERE run_id = %(run)s::uuid),
  'slots', (
    SELECT json_agg(json_build_array(id, token, seq, scopes, nodes, wave IS NOT NULL,
                                     run_id IS NOT NULL) ORDER BY id)
      FROM celesta_slot WHERE id = ANY (%(slots)s::bigint[])),
  'gates', (
    SELECT json_agg(json_build_array(scope, gate, succeeded, failed, skipped, fired)
                    ORDER BY scope, gate)
      FROM celesta_gate WHERE run_id = %(run)s::uuid),
  'waves', (
    SELECT json_agg(json_build_array(scope, nodes, node, total, cursor)
                    ORDER BY scope, nodes, node, total, cursor)
      FROM celesta_wave WHERE run_id = %(run)s::uuid),
  'hints', (
    SELECT json_agg(json_build_array(scope, node, wave IS NOT NULL, queue)
                    ORDER BY scope, node, wave IS NOT NULL, queue)
      FROM celesta_hint WHERE run_id = %(run)s::uuid),
  'timers', (
    SELECT json_agg(json_build_array(scope, node, attempt, kind, held)
                    ORDER BY scope, node, attempt, kind, held)
      FROM celesta_timer WHERE run_id = %(run)s::uuid),
  'outputs', (
    SELECT json_agg(json_build_array(scope, node, value, error ->> 'code') ORDER BY scope, node)
      FROM celesta_output WHERE run_id = %(run)s::uuid),
  'unwritten', (
    SELECT json_agg(json_build_array(first_scope, total))
      FROM celesta_expansion WHERE run_id = %(run)s::uuid AND created < total),
  'events', (
    SELECT json_agg(json_build_array(at, kind, scope, node, attempt, data) ORDER BY id)
      FROM celesta_event WHERE run_id = %(run)s::uuid)
)
