import { All, Controller, Delete, Get, Patch, Post, Put } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Audited, ReadOnly, Unaudited } from '#libs/audit';
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
      @Get() @Unaudited('names only') list() {}
      @Get('open') @Public() open() {}
      @Get('mine') @RequirePermission('account.own') mine() {}
      @Get('content') @Audited('thing.read', 'data.read') content() {}
      @Post('search') @ReadOnly() @Audited('thing.search', 'data.read') search() {}
      @Post('count') @ReadOnly() @Unaudited('a number') count() {}
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
      @Get(':id') @Audited('thing.read', 'data.read') read() {}
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

  it('names every read that could show something of a document, and neither leaves a record nor says why not', async () => {
    @Controller('x')
    @RateClass('read')
    @Priority('sheddable')
    @RequirePermission('document.read')
    class Reads {
      @Get() list() {}
      @Post('search') @ReadOnly() search() {}
      @Post('own') @ReadOnly() @RequirePermission('account.own') own() {}
      @Get('keys') @RequirePermission('key.manage') keys() {}
    }
    expect(await problemsIn(Reads)).toEqual([
      'GET /x (Reads.list) reads without @Audited or @Unaudited and why',
      'POST /x/search (Reads.search) reads without @Audited or @Unaudited and why',
      'POST /x/own (Reads.own) reads without @Audited or @Unaudited and why',
    ]);
  });

  it('names every route that has no rate class or no priority, of its own or of its class', async () => {
    @Controller('x')
    @RequirePermission('account.own')
    @Priority('sheddable')
    class Unlimited {
      @Get() list() {}
      @Get('limited') @RateClass('read') limited() {}
    }
    @Controller('y')
    @RequirePermission('account.own')
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
      @Delete() @Public() @ReadOnly() remove() {}
    }
    expect(await problemsIn(Contradictions)).toEqual([
      expect.stringContaining('GET /x/both (Contradictions.both) declares both'),
      expect.stringContaining('DELETE /x (Contradictions.remove) is @ReadOnly'),
      expect.stringContaining('DELETE /x (Contradictions.remove) reads without'),
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
    expect(await problemsIn(Inheriting)).toContainEqual(expect.stringContaining('GET /x/inherited'));
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
