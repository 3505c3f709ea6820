import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { cursorQuery, decodeCursor, page, pageOf, Priority, RateClass } from '#libs/http';
import { DirectoryService } from './directory.service.js';

const LONGEST_NAME = 254;

const ListDirectory = z.strictObject({
  ...cursorQuery,
  q: z
    .string()
    .trim()
    .min(1)
    .max(LONGEST_NAME)
    .optional()
    .describe('What the name begins with, in any case.'),
});
type ListDirectory = z.infer<typeof ListDirectory>;
const DirectoryCursor = z.tuple([z.string().max(LONGEST_NAME), z.uuid()]);

const DirectoryItem = z.object({
  id: z.uuid().describe('What a grant to a user takes.'),
  kind: z.enum(['person', 'program']),
  name: z.string().describe('Of a person, the e-mail address.'),
});
const DirectoryPage = pageOf(DirectoryItem);
type DirectoryPage = z.infer<typeof DirectoryPage>;

@ApiTags('directory')
@Controller('v1/directory')
@RequirePermission('document.write')
@RateClass('read')
@Priority('sheddable')
export class DirectoryController {
  constructor(private readonly directory: DirectoryService) {}

  @Get()
  @Audited('directory.list', 'data.read')
  @ApiOperation({
    summary: 'People and programs of your tenant that you can share documents with, by name',
    description:
      'Without yourself and without who is suspended. You find those of your groups, and whose whole address you give as ' +
      '`q`; everybody where the setting `directory` of the tenant says so. Groups are listed by `GET /v1/groups`.',
  })
  @ApiOkResponse({ standardSchema: DirectoryPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListDirectory }) { q, cursor, limit }: ListDirectory,
  ): Promise<DirectoryPage> {
    const [name, id] = cursor ? decodeCursor(cursor, DirectoryCursor) : [];
    const after = name !== undefined && id !== undefined ? { name, id } : undefined;
    const rows = await this.directory.list(principal, { q, after, limit: limit + 1 });
    return page(
      rows,
      limit,
      (entry) => [entry.name, entry.id],
      (entry) => entry,
    );
  }
}
