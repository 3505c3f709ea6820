import { All, Controller, Delete, Get, Patch, Post, Put } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Audited, ReadOnly } from '#libs/audit';
import { Public, RequirePermission } from './declarations.js';
import { assertEveryRouteDeclares, listRoutes, UndeclaredRoutes } from './route-declarations.js';

async function problemsIn(...controllers: (new () => object)[]): Promise<string[]> {
  const app = await Test.createTestingModule({ controllers }).compile();
  try {
    assertEveryRouteDeclares(app);
    return [];
  } catch (error) {
    if (error instanceof UndeclaredRoutes) return error.problems;
    throw error;
  }
}

describe('the start-up check of declarations', () => {
  it('passes when every route declares what it must', async () => {
    @Controller('v1/things')
    @RequirePermission('document.read')
    class Things {
      @Get() list() {}
      @Get('open') @Public() open() {}
      @Post('search') @ReadOnly() search() {}
      @Post() @Audited('thing.create') @RequirePermission('document.write') create() {}
      @Delete(':id') @Audited('thing.delete') remove() {}
      notARoute() {}
    }
    expect(await problemsIn(Things)).toEqual([]);
  });

  it('names a route that declares neither a permission nor @Public', async () => {
    @Controller('v1/things')
    class Things {
      @Get(':id') read() {}
    }
    expect(await problemsIn(Things)).toEqual([
      'GET /v1/things/:id (Things.read) declares neither a permission nor @Public',
    ]);
  });

  it('names every route that may change something without @Audited, login-like public ones included', async () => {
    @Controller('x')
    @RequirePermission('document.write')
    class Changes {
      @Post() post() {}
      @Put() put() {}
      @Patch() patch() {}
      @Delete() remove() {}
      @All('any') any() {}
      @Post('login') @Public() login() {}
    }
    const problems = await problemsIn(Changes);
    expect(problems).toHaveLength(6);
    for (const problem of problems) expect(problem).toContain('changes something without @Audited');
  });

  it('refuses declarations that contradict each other', async () => {
    @Controller('x')
    class Contradictions {
      @Get('both') @Public() @RequirePermission('document.read') both() {}
      @Post('read') @Public() @ReadOnly() @Audited('x.read') read() {}
      @Delete() @Public() @ReadOnly() remove() {}
    }
    expect(await problemsIn(Contradictions)).toEqual([
      expect.stringContaining('GET /x/both (Contradictions.both) declares both'),
      expect.stringContaining('POST /x/read (Contradictions.read) is @ReadOnly'),
      expect.stringContaining('DELETE /x (Contradictions.remove) is @ReadOnly'),
    ]);
  });

  it('sees routes that a controller inherits', async () => {
    class Base {
      @Get('inherited') inherited() {}
    }
    @Controller('x')
    class Inheriting extends Base {}
    expect(await problemsIn(Inheriting)).toEqual([expect.stringContaining('GET /x/inherited')]);
  });

  it('lists the routes of all controllers', async () => {
    @Controller()
    class Root {
      @Get() index() {}
    }
    const app = await Test.createTestingModule({ controllers: [Root] }).compile();
    expect(listRoutes(app).map((route) => route.name)).toEqual(['GET / (Root.index)']);
  });
});
