using DeviceHub.Server.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>A page of a list.</summary>
/// <param name="More">There is another page.</param>
internal sealed record PageOf<T>(IReadOnlyList<T> Items, int Page, int PageSize, bool More);

/// <summary>Reads pages: <c>page</c> from 1, <c>pageSize</c> to the option's limit, no deeper than the option says.</summary>
internal sealed class Paging(IOptions<ServerOptions> options)
{
    public const int DefaultSize = 50;

    /// <summary>Null: the two are good, and what <paramref name="others"/> has checked before.</summary>
    public IResult? Check(int? page, int? pageSize, FieldCheck? others = null)
    {
        var check = others ?? new FieldCheck();
        var size = pageSize ?? DefaultSize;
        check.That(size >= 1 && size <= options.Value.MaxPageSize, "pageSize", $"1 to {options.Value.MaxPageSize}");
        check.That(page is null or >= 1, "page", "from 1");
        check.That((long)(page ?? 1) * size <= options.Value.MaxPageDepth, "page", $"pages reach {options.Value.MaxPageDepth} rows deep; narrow the filters");
        return check.Problem;
    }

    public async Task<PageOf<TItem>> Read<TRow, TItem>(IQueryable<TRow> ordered, int? page, int? pageSize, Func<TRow, TItem> map, CancellationToken stop)
    {
        var number = page ?? 1;
        var size = Math.Min(pageSize ?? DefaultSize, options.Value.MaxPageSize);
        var rows = await ordered.Skip((number - 1) * size).Take(size + 1).ToListAsync(stop);
        return new([.. rows.Take(size).Select(map)], number, size, rows.Count > size);
    }

    /// <summary>As <see cref="Read"/>, of a port that takes how many rows to leave out and how many to read.</summary>
    public async Task<PageOf<TItem>> Read<TRow, TItem>(Func<int, int, Task<IReadOnlyList<TRow>>> read, int? page, int? pageSize, Func<TRow, TItem> map)
    {
        var number = page ?? 1;
        var size = Math.Min(pageSize ?? DefaultSize, options.Value.MaxPageSize);
        var rows = await read((number - 1) * size, size + 1);
        return new([.. rows.Take(size).Select(map)], number, size, rows.Count > size);
    }
}
