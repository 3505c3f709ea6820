import { All, Controller, Delete, Get, Patch, Post, Put } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Audited, ReadOnly } from '#libs/audit';
import { Priority, RateClass } from '#libs/http';
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
    @RateClass('read')
    @Priority('sheddable')
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
    @RateClass('read')
    @Priority('sheddable')
    class Things {
      @Get(':id') read() {}
    }
    expect(await problemsIn(Things)).toEqual([
      'GET /v1/things/:id (Things.read) declares neither a permission nor @Public',
    ]);
  });

  it('names every route that may change something without @Audited, login-like public ones included', async () => {
    @Controller('x')
    @RateClass('read')
    @Priority('sheddable')
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

  it('names every route that has no rate class or no priority, of its own or of its class', async () => {
    @Controller('x')
    @RequirePermission('document.read')
    @Priority('sheddable')
    class Unlimited {
      @Get() list() {}
      @Get('limited') @RateClass('read') limited() {}
    }
    @Controller('y')
    @RequirePermission('document.read')
    @RateClass('read')
    class Unranked {
      @Get() list() {}
      @Get('ranked') @Priority('critical') ranked() {}
    }
    expect(await problemsIn(Unlimited, Unranked)).toEqual([
      'GET /x (Unlimited.list) declares no @RateClass',
      'GET /y (Unranked.list) declares no @Priority',
    ]);
  });

  it('refuses declarations that contradict each other', async () => {
    @Controller('x')
    @RateClass('read')
    @Priority('sheddable')
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
    @RateClass('read')
    @Priority('sheddable')
    class Inheriting extends Base {}
    expect(await problemsIn(Inheriting)).toEqual([expect.stringContaining('GET /x/inherited')]);
  });

  it('lists the routes of all controllers', async () => {
    @Controller()
    @RateClass('read')
    @Priority('sheddable')
    class Root {
      @Get() index() {}
    }
    const app = await Test.createTestingModule({ controllers: [Root] }).compile();
    expect(listRoutes(app).map((route) => route.name)).toEqual(['GET / (Root.index)']);
  });
});
