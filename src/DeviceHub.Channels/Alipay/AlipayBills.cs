using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>
/// Alipay's bill of trades: its address is asked for and is good for 30 s; behind it is a zip with two GBK files, the details and a summary. A
/// zip's directory is at its end, so it lies in a temporary file while it is read.
/// </summary>
internal sealed class AlipayBills(AlipayClient client, ChannelHttp http) : IChannelBills
{
    private const int MaxFiles = 16;

    private static readonly Encoding Gbk = CodePagesEncodingProvider.Instance.GetEncoding("GBK")!;

    public string Name => AlipayChannel.ChannelName;

    /// <remarks>Two applications of one merchant share a bill, too, but nothing in the accounts says so.</remarks>
    public bool SharesBill(ChannelAccount account, ChannelAccount other) =>
        other.Channel == AlipayChannel.ChannelName && account.Setting(AlipayAccount.AppId) == other.Setting(AlipayAccount.AppId)
        && account.Setting(ChannelAddress.BaseUrl) == other.Setting(ChannelAddress.BaseUrl)
        && account.Secret(AlipayAccount.AppAuthToken)?.Reveal() == other.Secret(AlipayAccount.AppAuthToken)?.Reveal();

    public async IAsyncEnumerable<BillRow> Read(ChannelAccount account, DateOnly day, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var address = await Address(account, day, cancellationToken);
        await using var file = await Download(address, cancellationToken);
        using var zip = Open(file);
        foreach (var entry in await Details(zip, cancellationToken))
        {
            using var text = await Open(entry, cancellationToken);
            var reader = new AlipayBillReader(text);
            while (await reader.Next(cancellationToken) is { } row)
            {
                yield return row;
            }
        }
    }

    private async Task<Uri> Address(ChannelAccount account, DateOnly day, CancellationToken cancellationToken)
    {
        var reply = await client.Call(
            account, EffectKind.Query, "alipay.data.dataservice.bill.downloadurl.query", cancellationToken,
            ("bill_type", "trade"),
            ("bill_date", day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        if (reply.Fault is { } fault)
        {
            throw new BillException($"Alipay gave no address of the bill: {fault.Code}{(fault.Text is null ? "" : ", " + fault.Text)}");
        }

        var code = AlipayCodes.Of(reply.Fields);
        if (code is not "10000")
        {
            var none = code is "isp.bill_not_exist" or "BILL_NOT_EXIST" or "NO_BILL_DATA";
            throw new BillException(none ? $"Alipay has no bill of {day:yyyy-MM-dd}: nothing was paid, or it is too early" : $"Alipay gave no address of the bill: {ChannelAlarms.Shown(code)}") { None = none };
        }

        if (!Uri.TryCreate(reply.Fields.GetValueOrDefault("bill_download_url"), UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp))
        {
            throw new BillException("Alipay's address of the bill is none");
        }

        // Alipay still writes http; its server speaks https, and a bill that anybody on the way could have written proves nothing.
        var plain = address.Scheme == Uri.UriSchemeHttp && !(address.IsLoopback && client.AddressOf(account).Url is { IsLoopback: true });
        return plain ? new UriBuilder(address) { Scheme = Uri.UriSchemeHttps, Port = address.IsDefaultPort ? 443 : address.Port }.Uri : address;
    }

    private async Task<FileStream> Download(Uri address, CancellationToken cancellationToken)
    {
        var (answer, body) = await http.Open(new HttpRequestMessage(HttpMethod.Get, address), cancellationToken);
        if (body is null)
        {
            throw new BillException($"the bill's server answered with status {answer.Status}");
        }

        await using (body)
        {
            var file = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), Temporary());
            try
            {
                await body.CopyToAsync(file, cancellationToken);
                return file;
            }
            catch
            {
                await file.DisposeAsync();
                throw;
            }
        }
    }

    private static ZipArchive Open(FileStream file)
    {
        try
        {
            file.Position = 0;
            return new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true, Gbk);
        }
        catch (InvalidDataException e)
        {
            throw new BillException($"the bill is no whole zip file ({file.Length} bytes)", e);
        }
    }

    /// <summary>For the eyes of this process, and gone with it.</summary>
    private static FileStreamOptions Temporary()
    {
        var temporary = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows())
        {
            temporary.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return temporary;
    }

    /// <summary>Which of the files have the details is said in their first line; their names are in whatever character set.</summary>
    private static async Task<List<ZipArchiveEntry>> Details(ZipArchive zip, CancellationToken cancellationToken)
    {
        if (zip.Entries.Count > MaxFiles)
        {
            throw new BillException($"the bill's zip has {zip.Entries.Count} files");
        }

        var details = new List<ZipArchiveEntry>();
        foreach (var entry in zip.Entries)
        {
            using var text = await Open(entry, cancellationToken);
            if (await new BillLines(text).Next(cancellationToken) is { } first && first.StartsWith(AlipayBillReader.Title, StringComparison.Ordinal))
            {
                details.Add(entry);
            }
        }

        return details.Count > 0 ? details : throw new BillException($"the bill's zip has no file that begins with {AlipayBillReader.Title}");
    }

    private static async Task<StreamReader> Open(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            return new StreamReader(await entry.OpenAsync(cancellationToken), Gbk);
        }
        catch (InvalidDataException e)
        {
            throw new BillException("the bill's zip is damaged", e);
        }
    }
}
