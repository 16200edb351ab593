using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>The bill of a day over version 2: the file itself, gzipped, or an XML that says why not. Neither is signed.</summary>
internal sealed class WeChatV2Bills(ChannelHttp http, WeChatV2Client client) : IChannelBills
{
    public string Name => WeChatV2Channel.ChannelName;

    public bool SharesBill(ChannelAccount account, ChannelAccount other) => WeChatFields.IsOneMerchant(account, other);

    public async IAsyncEnumerable<BillRow> Read(ChannelAccount account, DateOnly day, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = BillStart.Account(() => WeChatV2Keys.Of(account));
        var message = WeChatV2Client.Begin(keys)
            .Add("bill_date", day.ToString("yyyyMMdd", CultureInfo.InvariantCulture))
            .Add("bill_type", "ALL")
            .Add("tar_type", "GZIP");
        var (answer, body) = await http.Open(WeChatV2Client.Request(BillStart.Account(() => client.AddressOf(account)), "/pay/downloadbill", message, keys), cancellationToken);
        if (body is null)
        {
            throw new BillException($"the bill was answered with HTTP {answer.Status}");
        }

        await using (body)
        {
            var (reader, start) = await BillStart.Of(body, cancellationToken);
            if (start == BillStart.Xml)
            {
                throw Why(await BillStart.ReadAll(reader, cancellationToken));
            }

            var rows = WeChatBill.Read(start == BillStart.Gzip ? BillStart.Unzip(reader) : reader, keys.MerchantNumber, keys.SubMerchantNumber, cancellationToken);
            await foreach (var row in BillStart.WithWords(rows, cancellationToken))
            {
                yield return row;
            }
        }
    }

    /// <summary>By its <c>error_code</c>: the texts beside it change.</summary>
    private static BillException Why(byte[] xml)
    {
        var message = WeChatV2Message.Read(xml);
        var code = message?["error_code"] ?? message?["err_code"] ?? "";
        return code switch
        {
            "20002" => new BillException("WeChat has no bill of that day (20002): nothing was paid") { None = true },
            "20003" => new BillException("WeChat is still making the bill of that day (20003); it is there from 10 o'clock (China) on") { None = true },
            _ => new BillException($"WeChat refuses the bill: {ChannelAlarms.Shown(code)} {ChannelAlarms.Words(message?["return_msg"])}".TrimEnd()),
        };
    }
}

/// <summary>The bill of a day over version 3: a signed answer says where the file is and what its SHA-1 is; the file itself is not signed.</summary>
internal sealed class WeChatV3Bills(ChannelHttp http, WeChatV3Client client) : IChannelBills
{
    public string Name => WeChatV3Channel.ChannelName;

    public bool SharesBill(ChannelAccount account, ChannelAccount other) => WeChatFields.IsOneMerchant(account, other);

    public async IAsyncEnumerable<BillRow> Read(ChannelAccount account, DateOnly day, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = BillStart.Account(() => WeChatV3Keys.Of(account));
        var (url, hash) = await Find(account, keys, day, cancellationToken);
        var (answer, body) = await http.Open(client.Request(keys, url, null), cancellationToken);
        if (body is null)
        {
            throw new BillException($"the bill's file was answered with HTTP {answer.Status}");
        }

        await using (body)
        {
            var (reader, start) = await BillStart.Of(body, cancellationToken);
            using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
            await using var hashed = new HashingStream(start == BillStart.Gzip ? BillStart.UnzipStream(reader) : reader.AsStream(), sha1);
            await foreach (var row in BillStart.WithWords(WeChatBill.Read(PipeReader.Create(hashed), keys.MerchantNumber, keys.SubMerchantNumber, cancellationToken), cancellationToken))
            {
                yield return row;
            }

            if (!CryptographicOperations.FixedTimeEquals(sha1.GetCurrentHash(), hash))
            {
                throw new BillException("the bill's SHA-1 is not the one that WeChat signed: its rows are not believed");
            }
        }
    }

    private async Task<(Uri Url, byte[] Hash)> Find(ChannelAccount account, WeChatV3Keys keys, DateOnly day, CancellationToken cancellationToken)
    {
        var home = BillStart.Account(() => client.AddressOf(account));
        var path = string.Create(CultureInfo.InvariantCulture, $"/v3/bill/tradebill?bill_date={day:yyyy-MM-dd}&bill_type=ALL&tar_type=GZIP{(keys.SubMerchantNumber is { } sub ? $"&sub_mchid={sub}" : "")}");
        var answer = await http.Send(client.Request(keys, ChannelAddress.Of(home, path), null), cancellationToken);
        if ((answer.Verdict(EffectKind.Query) ?? client.Fault(account, EffectKind.Query, keys, answer)) is { } fault)
        {
            throw new BillException($"the bill cannot be asked for: {fault.Code} {fault.Text}".TrimEnd());
        }

        var found = WeChatV3Json.Read(answer.Body.Span, WeChatV3Json.Default.WeChatV3Bill);
        if (found?.Code is { } code)
        {
            throw code switch
            {
                "NO_STATEMENT_EXIST" => new BillException("WeChat has no bill of that day: nothing was paid") { None = true },
                "STATEMENT_CREATING" => new BillException("WeChat is still making the bill of that day; it is there from 10 o'clock (China) on") { None = true },
                _ => new BillException($"WeChat refuses the bill: {ChannelAlarms.Shown(code)} {ChannelAlarms.Words(found.Message)}".TrimEnd()),
            };
        }

        if (found is not { HashType: "SHA1", HashValue: { Length: 40 } hash, DownloadUrl: { } text } || !hash.All(char.IsAsciiHexDigit) || !Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            throw new BillException("WeChat's answer does not say where the bill is");
        }

        // The request for it is signed for this merchant, so it goes nowhere else.
        return url.Host == home.Host && url.Scheme == home.Scheme && url.Port == home.Port
            ? (url, Convert.FromHexString(hash))
            : throw new BillException($"the bill is said to be at {url.Host}, which is not where WeChat Pay is called");
    }
}

/// <summary>The first bytes of a bill say what it is.</summary>
internal static class BillStart
{
    public const char Gzip = 'z';
    public const char Xml = '<';

    private const int MaxFault = 64 * 1024;

    public static T Account<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (AccountFault e)
        {
            throw new BillException(e.Message, e);
        }
    }

    public static async Task<(PipeReader Reader, char Start)> Of(Stream body, CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(body);
        var read = await reader.ReadAtLeastAsync(2, cancellationToken);
        var start = read.Buffer.Length < 2 ? '\0' : First(read.Buffer);
        reader.AdvanceTo(read.Buffer.Start);
        return start == '\0' ? throw new BillException("the bill is empty") : (reader, start);
    }

    public static Stream UnzipStream(PipeReader reader) => new GZipStream(reader.AsStream(), CompressionMode.Decompress);

    public static PipeReader Unzip(PipeReader reader) => PipeReader.Create(UnzipStream(reader));

    public static async Task<byte[]> ReadAll(PipeReader reader, CancellationToken cancellationToken)
    {
        var read = await reader.ReadAtLeastAsync(MaxFault, cancellationToken);
        return read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MaxFault)).ToArray();
    }

    /// <summary>A gzip that is none, or is cut off, in words.</summary>
    public static async IAsyncEnumerable<BillRow> WithWords(IAsyncEnumerable<BillRow> rows, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var each = rows.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await each.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (InvalidDataException e)
            {
                throw new BillException("the bill's gzip is broken or cut off", e);
            }

            yield return each.Current;
        }
    }

    private static char First(ReadOnlySequence<byte> buffer)
    {
        Span<byte> two = stackalloc byte[2];
        buffer.Slice(0, 2).CopyTo(two);
        return two is [0x1f, 0x8b] ? Gzip : (char)two[0];
    }
}

/// <summary>Hashes what is read through it.</summary>
internal sealed class HashingStream(Stream inner, IncrementalHash hash) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        hash.AppendData(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("bills are read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
