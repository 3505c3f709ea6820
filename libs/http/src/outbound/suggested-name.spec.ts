import { suggestedName } from './suggested-name.js';

const url = new URL('https://example.com/plans/Gold%20plan.pdf?v=2');

it.each([
  [undefined, 'Gold plan.pdf'],
  ['attachment', 'Gold plan.pdf'],
  ['attachment; filename="a b.pdf"', 'a b.pdf'],
  ['attachment; filename=plan.pdf', 'plan.pdf'],
  ['attachment; filename="say \\"hi\\".pdf"', 'say "hi".pdf'],
  [`attachment; filename="x.pdf"; filename*=UTF-8''pl%C3%A4n.pdf`, 'plän.pdf'],
  [`attachment; filename*=UTF-8''%E0%A4%A; filename="x.pdf"`, 'x.pdf'],
  [`inline; filename="${Buffer.from('plän.pdf').toString('latin1')}"`, 'plän.pdf'],
])('takes the name from %s, or else from the address', (header, expected) => {
  expect(suggestedName(url, header)).toBe(expected);
});

it('has no name where nobody gives one', () => {
  expect(suggestedName(new URL('https://example.com/'), undefined)).toBeUndefined();
  expect(suggestedName(new URL('https://example.com/%E0%A4%A'), undefined)).toBeUndefined();
});
