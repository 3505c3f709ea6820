import { type AnswerBody, ChatClient } from '../support/chat-client.js';
import { testApp } from '../support/test-app.js';

const DOCUMENTS = [
  {
    language: 'es',
    text: `# Póliza de hogar

El seguro cubre los daños causados por el agua hasta 12.000 euros por siniestro, con una franquicia de 150 euros.

Los robos deben denunciarse a la policía dentro de las 48 horas siguientes al descubrimiento.`,
    question: '¿Hasta cuánto cubre el seguro los daños causados por el agua?',
    quote: '12.000 euros por siniestro',
  },
  {
    language: 'de',
    text: `# Reiserücktrittsversicherung

Die Stornokosten werden zu 80 Prozent erstattet, wenn die versicherte Person vor Antritt der Reise unerwartet erkrankt.

Der Selbstbehalt beträgt 25 Euro je Person und gilt auch für mitreisende Kinder.`,
    question: 'Wie hoch ist der Selbstbehalt je Person?',
    quote: '25 Euro je Person',
  },
  {
    language: 'ja',
    text: `# 自動車保険

対物賠償の免責金額は一回の事故につき五万円です。運転者の年齢条件は三十歳以上です。

ロードサービスは年間三回まで無料で利用できます。`,
    question: 'ロードサービスは年間何回まで無料ですか',
    quote: '年間三回まで無料',
  },
];

describe('documents in other languages, without a model', () => {
  let client: ChatClient;
  beforeAll(async () => {
    client = await new ChatClient(await testApp()).prepare();
  }, 60_000);
  afterAll(() => client?.app.close());

  it.each(DOCUMENTS)('are known to be in $language, and quoted in it', async (document) => {
    const { language, text, question, quote } = document;
    const id = await client.upload(`${language}.md`, text);
    const facts = await client.app.fetch(`/v1/documents/${id}/facts`, { headers: client.app.admin });
    expect(await facts.json()).toMatchObject({ language });
    const answer = (await (await client.ask({ question })).json()) as AnswerBody;
    expect(answer).toMatchObject({ not_in_documents: false });
    expect(answer.citations[0]).toMatchObject({ document_id: id });
    expect(answer.answer).toContain(quote);
  });
});
