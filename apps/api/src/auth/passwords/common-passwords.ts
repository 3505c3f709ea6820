import { brotliDecompressSync } from 'node:zlib';
import { PACKED_PASSWORDS } from './common-passwords.data.js';

let leaked: ReadonlySet<string> | undefined;

/**
 * Whether it stands at the top of lists of leaked passwords, or is what somebody would choose for this product. Case does
 * not count. The list is here, so nothing of a password goes anywhere; the throttle slows all other guesses.
 */
export function isCommonPassword(password: string): boolean {
  const lower = password.toLowerCase();
  // Unpacked for the first one who chooses a password, in some milliseconds.
  leaked ??= new Set(leakedPasswords());
  return leaked.has(lower) || COMMON_PASSWORDS.has(lower);
}

/** In lower case, from eight characters on. */
export function leakedPasswords(): string[] {
  return brotliDecompressSync(Buffer.from(PACKED_PASSWORDS, 'base64')).toString('utf8').split('\n');
}

/** What the list lacks: other languages, keyboards, years, and the words of this product. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  12345678 123456789 1234567890 12345678910 123123123 1234512345 12341234 12344321 123454321 1234567891
  11112222 11223344 112233445566 123321123 123456123 123456654321 123456qwerty 1234qwer 12345qwert 123qweasd
  123qweasdzxc 147258369 147852369 159357456 159753456 19841984 19871987 19921992 20002000 20202020 21212121
  23232323 25252525 31415926 43214321 55667788 69696969 741852963 76543210 789456123 87654321 88888888 987654321
  9876543210 98765432 99887766 999999999 a1234567 a12345678 a123456789 a1b2c3d4 a1b2c3d4e5 aa123456 aa12345678
  aaaa1111 abc12345 abc123456 abcd1234 abcd12345 abcdefgh abcdefg1 abcdefghi access14 administrator admin123
  admin1234 admin12345 admin123456 adminadmin alexander alexandra anderson arsenal1 asdasdasd asdf1234 asdfasdf
  asdfghjk asdfghjkl asdfghjkl1 asd123456 asshole1 baseball baseball1 basketball batman123 beautiful berlin123
  blink182 bluebird bubbles1 butterfly butthead california capricorn caroline carolina cartman1 catherine
  challenger changeme changeme1 changeme123 charlie1 charlotte cheyenne chelsea1 chocolate chris123 christian
  christina christine christmas cocacola colorado computer computer1 concrete consumer corvette cowboys1 crystal1
  default1 defaultpassword demo1234 diamond1 dolphin1 dolphins dragon123 dragonball einstein elephant elizabeth
  emmanuel everton1 explorer facebook facebook1 fernando firebird fireball flamingo florence flower123 football
  football1 freedom1 friends1 fuckyou1 fuckyou123 garfield gateway1 gfhjkm123 girlfriend giovanni godzilla goldfish
  gordon24 grandpa1 greenday guitar123 hallo123 hannover happy123 harley123 hello123 hello1234 helloworld hellokitty
  hercules hospital hunter123 iloveyou iloveyou1 iloveyou2 iloveyou123 iloveu123 infinity insurance insurance1
  insurance123 internet internet1 isabella jackson1 jennifer jessica1 jonathan jordan23 jordan123 juventus
  kathleen kimberly kingkong kristina lakers24 letmein1 letmein123 letmein! liverpool liverpool1 london123 lovelove
  loveyou1 loverboy madonna1 manchester marlboro marseille martin123 master123 maverick melissa1 metallica
  michael1 michelle michigan microsoft midnight monkey123 monster1 montreal motorola mountain mustang1 myspace1
  napoleon nathan123 navigator navigator1 navigator123 nicholas nicole123 nintendo nirvana1 november october1
  p@ssw0rd p@ssw0rd1 p@ssword p4ssw0rd pa55w0rd pa55word pakistan panther1 parola123 pass1234 pass12345 passpass
  passw0rd passw0rd1 passw0rd! passwort passwort1 passwort123 password password! password0 password00 password01
  password1 password1! password10 password11 password12 password123 password123! password1234 password2 password21
  password22 password3 password99 passwords patricia peaches1 pokemon123 poohbear porsche911 postgres precious
  princess princess1 private1 q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsx123 qazwsxedc qqww1122 qwaszx12 qwer1234
  qwert123 qwert12345 qwerasdf qwertyui qwertyuiop qwertyuiop1 qwerty11 qwerty12 qwerty123 qwerty123! qwerty1234
  qwerty12345 qwerty123456 qwertz123 qwertzui qwertzuiop rammstein rangers1 rebecca1 redskins remember richard1
  roberto1 rolltide ronaldo7 roottoor rootroot rootroot1 runescape samantha samsung1 samuel123 sandiego santiago
  scarface scorpion secret123 secret12 sebastian september serenity shadow12 shadow123 shannon1 shopping simpsons
  skateboard slipknot smokey123 snickers snowball soccer12 spiderman spiderman1 spongebob starcraft stargate
  starwars starwars1 steelers stephanie strawberry summer01 summer123 summer2024 summer2025 summer2026 sunflower
  sunshine sunshine1 superman superman1 superstar swordfish sysadmin sysadmin1 temp1234 temppass tennessee test1234
  test12345 test123456 testtest testing1 testing123 theodore thunder1 tigger123 tinkerbell tomcat123 trustno1
  trustno1! twilight undertaker universe vanessa1 victoria vincent1 voyager1 warcraft webmaster welcome1 welcome12
  welcome123 welcome1! welcome! westside whatever whatever1 william1 winter123 winter2024 winter2025 winter2026
  wolfgang woaini1314 xxxxxxxx yankees1 yellow12 yourmom1 zaq12wsx zaq1zaq1 zaq1@wsx zxcvbnm1 zxcvbnm123 zxcvbnm12
  1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qaz!qaz 1qazxsw2 !qaz2wsx q1w2e3r4! 0123456789 01234567
  0987654321 09876543 00000000 10203040 1029384756 101010101 111222333 1111111111 111111111
  `
    .trim()
    .split(/\s+/),
);
