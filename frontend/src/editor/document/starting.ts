/** What a new node of a type is told to begin with, so that its form shows what is missing. */
export function starting(type: string): { with?: Record<string, unknown> } {
  switch (type) {
    case 'wait':
      return { with: { for: '5m' } };
    case 'map':
      return { with: { over: [], do: { type: 'transform', with: { output: '{{ item }}' } } } };
    case 'branch':
      return { with: { cases: { yes: '{{ true }}' }, default: 'no' } };
    case 'transform':
      return { with: { output: '' } };
    default:
      return {};
  }
}
