import { CreateApiKey } from './api-keys/api-keys.dto.js';
import { LoginRequest, LogoutRequest, RefreshRequest } from './auth.dto.js';

describe('what the routes of identity accept', () => {
  it.each([
    [LoginRequest, { email: 'a@example.com', password: ' x ' }, { email: 'a@example.com', password: ' x ' }],
    [LogoutRequest, undefined, { everywhere: false }],
    [LogoutRequest, {}, { everywhere: false }],
    [LogoutRequest, { everywhere: true }, { everywhere: true }],
    [CreateApiKey, { name: ' reporting ' }, { name: 'reporting', expires_in_days: 365 }],
    [CreateApiKey, { name: 'x', expires_in_days: 1 }, { name: 'x', expires_in_days: 1 }],
  ])('case %#: the fields it knows, with their defaults', (schema, input, output) => {
    expect(schema.parse(input)).toEqual(output);
  });

  it.each([
    [LoginRequest, { email: 'a@example.com', password: 'x', role: 'operator' }],
    [LoginRequest, { email: 'a@example.com', password: 'x'.repeat(257) }],
    [LoginRequest, { email: 'a@example.com', password: '' }],
    [LoginRequest, { email: ['a@example.com'], password: 'x' }],
    [LoginRequest, { email: 'nobody', password: 'x' }],
    [LoginRequest, null],
    [RefreshRequest, {}],
    [RefreshRequest, { refresh_token: 'x'.repeat(257) }],
    [LogoutRequest, { everywhere: 'yes' }],
    [CreateApiKey, { name: ' ' }],
    [CreateApiKey, { name: 'x', expires_in_days: 366 }],
    [CreateApiKey, { name: 'x', expires_in_days: 0.5 }],
    [CreateApiKey, { name: 'x', tenant_id: 'another' }],
  ])('case %#: nothing else', (schema, input) => {
    expect(schema.safeParse(input).success).toBe(false);
  });
});
