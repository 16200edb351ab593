using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;
using DeviceHub.Tools.ChannelSandbox.Notices;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>
/// Shouqianba's notices of success, 1, 5, 30 and 600 s after one another until <c>success</c> is answered. The public documents name the fields and
/// no signature; integrators are given a public key for SHA-256 with RSA over the body in <c>Authorization</c>.
/// </summary>
internal sealed class ShouqianbaNotices(ShouqianbaPlatform platform) : INoticeWriter
{
    private readonly KeyPool key = KeyPool.OfPem(platform.NoticePrivateKey);

    public IReadOnlyList<TimeSpan> Waits { get; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(600)];

    public bool Tells(Order order, Refund? refund) => order.Key.Channel == Channel.Shouqianba && refund is null;

    public bool IsTaken(int status, string body) => status == 200 && body == "success";

    public Notice Write(Told told)
    {
        var draft = new Draft();
        using (var json = new Utf8JsonWriter(draft))
        {
            json.WriteStartObject();
            ShouqianbaJson.WriteFields(json, told.Order, ShouqianbaJson.StatusOf(told.Order), open: false, told.Order.Fen + told.MoreFen);
            json.WriteEndObject();
        }

        var body = draft.Written.ToArray();
        return new("application/json", body, ("Authorization", (told.Forged ? KeyPool.Foreign : key).Sign(body)));
    }
}
