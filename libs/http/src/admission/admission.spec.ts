import { settled, VirtualClock } from '../../../../test/support/virtual-clock.js';
import { rateSection } from '../http.config.js';
import { OpenStreams } from '../open-streams.js';
import { Quotas } from '../quotas/index.js';
import { Admission, effectivePriority, type RouteDeclaration } from './admission.js';
import { Gate } from './gate.js';
import { Pressure } from './pressure.js';

const LIMITS = rateSection.schema.parse({
  authPerMinute: 1,
  strangerPerMinute: 10,
  uploadPerMinute: 10,
  questionPerMinute: 1_000,
  searchPerMinute: 10,
  readPerMinute: 10,
  writePerMinute: 10,
});
const QUESTION: RouteDeclaration = { rate: { name: 'question' }, priority: 'critical' };
const LIST: RouteDeclaration = { rate: { name: 'read' }, priority: 'sheddable' };
const HEALTH: RouteDeclaration = { rate: { name: 'probe' }, priority: 'critical-plus' };

describe('admission', () => {
  let clock: VirtualClock;
  let heap: number;
  let gate: Gate;
  let quotas: Quotas;
  let admission: Admission;
  const address = '192.0.2.1';
  const bearer = (name: string) => `Bearer ${name}`;
  beforeEach(() => {
    clock = new VirtualClock();
    heap = 0;
    gate = new Gate({ concurrency: 1, maxWaitMs: 100 }, { clock });
    quotas = new Quotas(LIMITS, { clock });
    const pressure = new Pressure([{ name: 'heap', read: () => heap }], { loopDelayMs: 100, clock });
    pressure.start();
    admission = new Admission(quotas, pressure, gate, { clock, random: () => 0.5 });
  });

  it('lets in what there is room for', () => {
    for (const route of [QUESTION, LIST, HEALTH])
      expect(admission.refusalOf({ address }, route)).toBeUndefined();
  });

  it('refuses the least important first when the process is full, and says when to come back', async () => {
    heap = 0.85;
    await clock.advance(5_000);
    const refusal = admission.refusalOf({ address }, LIST);
    expect(refusal).toMatchObject({ status: 503, code: 'overloaded', retryAfterMs: 2_500 });
    expect(admission.refusalOf({ address }, QUESTION)).toBeUndefined();
    heap = 4;
    await clock.advance(2_000);
    expect(admission.refusalOf({ address }, QUESTION)).toMatchObject({ code: 'overloaded' });
    expect(admission.refusalOf({ address }, HEALTH)).toBeUndefined();
  });

  it('refuses a watcher whose tenant has as many streams as it may, without charging its quota', () => {
    const watch: RouteDeclaration = { rate: { name: 'read' }, priority: 'sheddable', isWatcher: true };
    const streams = new OpenStreams({ watchersPerTenant: 1, perTenant: 2, perProcess: 10 });
    const arriving = { address, authorization: bearer('a'), streams };
    const caller = { tenantId: 'a', userId: 'a', credentialId: 'a', authorization: bearer('a') };
    const leave = streams.enter('a', { isWatcher: true });
    // Nobody has verified the credential yet, so nobody knows whose it is.
    expect(admission.refusalOf(arriving, watch)).toBeUndefined();
    void quotas.take(caller, 'read');
    for (let i = 0; i < 100; i++)
      expect(admission.refusalOf(arriving, watch)).toMatchObject({ status: 429, code: 'too-many-streams' });
    expect(admission.refusalOf(arriving, LIST)).toBeUndefined();
    expect(quotas.take(caller, 'read')).toMatchObject({ totalHits: 2, isBlocked: false });
    leave();
    expect(admission.refusalOf(arriving, watch)).toBeUndefined();
  });

  it('refuses a login too many by its address', () => {
    const login: RouteDeclaration = { rate: { name: 'auth' }, priority: 'critical' };
    expect(admission.refusalOf({ address }, login)).toBeUndefined();
    expect(admission.refusalOf({ address }, login)).toMatchObject({
      status: 429,
      code: 'too-many-requests',
      retryAfterMs: 60_000,
    });
  });

  it('refuses at the door who would wait too long at the gate, and nobody else', async () => {
    for (const name of ['flooder', 'other'])
      void quotas.take(
        { tenantId: name, userId: name, credentialId: name, authorization: bearer(name) },
        'question',
      );
    gate.tryEnter({ tenantId: 'flooder', priority: 'critical' });
    for (let i = 0; i < 50; i++)
      void gate.wait({ tenantId: 'flooder', priority: 'critical' }).catch(() => undefined);
    await settled();
    const refused = (name: string, route: RouteDeclaration) =>
      admission.refusalOf({ address, authorization: bearer(name) }, route);
    expect(refused('flooder', QUESTION)).toMatchObject({ code: 'overloaded' });
    expect(refused('flooder', LIST)).toBeUndefined();
    expect(refused('other', QUESTION)).toBeUndefined();
    expect(refused('stranger', QUESTION)).toBeUndefined();
  });

  it('knows routes by method and pattern, and takes others for the least important', () => {
    admission.declare('GET /v1/things/:id', QUESTION);
    expect(admission.declarationOf('GET', '/v1/things/:id')).toBe(QUESTION);
    expect(admission.declarationOf('HEAD', '/v1/things/:id')).toBe(QUESTION);
    expect(admission.declarationOf('POST', '/v1/things/:id').priority).toBe('sheddable');
    expect(admission.declarationOf('GET', undefined).priority).toBe('sheddable');
  });
});

describe('X-Priority', () => {
  it.each([
    ['critical', 'sheddable', 'sheddable'],
    ['critical', 'sheddable-plus', 'sheddable-plus'],
    ['sheddable', 'critical', 'sheddable'],
    ['sheddable-plus', 'critical-plus', 'sheddable-plus'],
    ['critical', 'nonsense', 'critical'],
    ['critical', undefined, 'critical'],
    ['critical', ['sheddable'], 'critical'],
  ] as const)('of a route that is %s, %j makes it %s', (declared, asked, effective) => {
    expect(effectivePriority(declared, asked)).toBe(effective);
  });
});
