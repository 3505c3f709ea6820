import { languageOf } from './language.js';

describe('the language of a text', () => {
  it.each([
    ['The plan pays for physiotherapy after the deductible has been met by the member.', 'en'],
    ['Die Versicherung zahlt die Physiotherapie, sobald der Selbstbehalt erreicht ist.', 'de'],
    ['El plan paga la fisioterapia después de que se haya alcanzado el deducible.', 'es'],
  ])('is told from %j', async (text, language) => {
    expect(await languageOf(text)).toBe(language);
  });

  it('is not guessed where there is too little text', async () => {
    expect(await languageOf('12 345')).toBeNull();
  });
});
