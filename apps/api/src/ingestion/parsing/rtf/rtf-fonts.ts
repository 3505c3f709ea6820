/** Encodings by the number of a character set, as fonts state them. */
const ENCODING_OF_CHARSET: Readonly<Record<number, string>> = {
  77: 'macintosh',
  128: 'shift_jis',
  129: 'euc-kr',
  134: 'gbk',
  136: 'big5',
  161: 'windows-1253',
  162: 'windows-1254',
  163: 'windows-1258',
  177: 'windows-1255',
  178: 'windows-1256',
  186: 'windows-1257',
  204: 'windows-1251',
  222: 'windows-874',
  238: 'windows-1250',
};

const ENCODING_OF_CODEPAGE: Readonly<Record<number, string>> = {
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  10000: 'macintosh',
  65001: 'utf-8',
};

/** In which encoding the letters of a document are written: that of their font, else the document's own. */
export class RtfFonts {
  private readonly encodings = new Map<number, string>();
  private documentEncoding = 'windows-1252';

  setCodepage(codepage: number): void {
    const isWindows = codepage >= 1250 && codepage <= 1258;
    this.documentEncoding =
      ENCODING_OF_CODEPAGE[codepage] ?? (isWindows ? `windows-${codepage}` : 'windows-1252');
  }

  setCharset(font: number, charset: number): void {
    const encoding = ENCODING_OF_CHARSET[charset];
    if (encoding) this.encodings.set(font, encoding);
  }

  decode(bytes: readonly number[], font: number | undefined): string {
    const encoding = (font !== undefined && this.encodings.get(font)) || this.documentEncoding;
    return new TextDecoder(encoding).decode(Uint8Array.from(bytes));
  }
}
