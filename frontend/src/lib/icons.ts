/** Drawings of 16 by 16, as paths of strokes. */
export const ICONS: Record<string, string> = {
  // types of nodes
  branch: 'M4 2.5v11M4 8h3.5A3.5 3.5 0 0 0 11 4.5V3M9 4.8 11 2.6l2 2.2',
  celery: 'M2.5 4.5h11v7h-11zM2.5 8h4l1.5 2 1.5-2h4',
  http: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM1.9 8h12.2M8 1.8c3.4 3.6 3.4 8.8 0 12.4M8 1.8c-3.4 3.6-3.4 8.8 0 12.4',
  map: 'M5.5 2.5h8v8h-8zM2.5 5.5v8h8',
  python: 'm5.5 4.5-3.5 3.5 3.5 3.5M10.5 4.5 14 8l-3.5 3.5',
  transform: 'M2.5 5h9M9 2.5 11.5 5 9 7.5M13.5 11h-9M7 8.5 4.5 11 7 13.5',
  wait: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM8 4.4V8l2.4 1.6',
  approval:
    'M8 2a2.6 2.6 0 1 0 0 5.2A2.6 2.6 0 0 0 8 2zM2.8 13.5c.5-3 2.6-4.3 5.2-4.3 1 0 1.9.2 2.7.6M10 12.4l1.5 1.5 2.8-3',
  node: 'M3 4.5h10v7H3z',
  // what one does
  undo: 'M5.5 3 2.5 6l3 3M3 6h6a4 4 0 0 1 0 8H6.5',
  redo: 'm10.5 3 3 3-3 3M13 6H7a4 4 0 0 0 0 8h2.5',
  arrange: 'M2 6.5h3.5v3H2zM10.5 2.5H14v3h-3.5zM10.5 10.5H14v3h-3.5zM5.5 8H8V4h2.5M8 8v4h2.5',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  plus: 'M8 3v10M3 8h10',
  close: 'm4 4 8 8m0-8-8 8',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14',
  warning: 'M8 2.2 14.4 13.4H1.6zM8 6.4v3.4M8 11.4v.3',
  check: 'm3.5 8.5 3 3 6-7',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  form: 'M3 3.5h10M3 8h10M3 12.5h6',
  code: 'M6 4 2.5 8 6 12M10 4l3.5 4L10 12',
  down: 'm4 6 4 4 4-4',
  palette: 'M2.5 2.5h4.5V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z',
};

/** Which of the hues of theme.css a type of node has. */
export const HUES: Record<string, string> = {
  branch: 'amber',
  celery: 'green',
  http: 'blue',
  map: 'violet',
  python: 'indigo',
  transform: 'teal',
  wait: 'slate',
  approval: 'rose',
};
