using System.Text;
using DeviceHub.Tools.ChannelSandbox.WeChat;

namespace DeviceHub.UnitTests.ChannelSandbox;

public sealed class FieldSetTests
{
    private static readonly byte[] Key = "192006250b4c09247ec02edce69f6a2d"u8.ToArray();

    /// <summary>The worked example of WeChat Pay's v2 documents.</summary>
    [Theory]
    [InlineData(false, "9A0A8659F005D6984697E2CA0A9CF3B7")]
    [InlineData(true, "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6")]
    public void Signature_is_that_of_the_published_example(bool hmac, string expected)
    {
        var fields = new FieldSet();
        Assert.True(fields.TryParse("""
            <xml><nonce_str>ibuaiVcKdpRxkhJA</nonce_str><appid>wxd930ea5d5a258f4f</appid><sign>ANY</sign><empty></empty>
            <mch_id><![CDATA[10000100]]></mch_id><device_info>1000</device_info><body>test</body></xml>
            """u8));

        Assert.Equal(expected, Signed(fields, hmac));
    }

    [Fact]
    public void Entities_and_CDATA_are_read_as_what_they_stand_for()
    {
        var fields = new FieldSet();

        Assert.True(fields.TryParse(Encoding.UTF8.GetBytes("<?xml version=\"1.0\"?>\n<xml><a>1 &lt; 2 &amp; &#x9762;&#39;</a><b><![CDATA[<b>&amp;]]>c</b></xml>\n")));

        Assert.Equal("1 < 2 & 面'", fields.Text("a"u8));
        Assert.Equal("<b>&amp;c", fields.Text("b"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<xml>")]
    [InlineData("<xml><a>1</a>")]
    [InlineData("<xml><a>1</b></xml>")]
    [InlineData("<xml><a><b>1</b></a></xml>")]
    [InlineData("<xml><a x=\"1\">1</a></xml>")]
    [InlineData("<xml><a>&unknown;</a></xml>")]
    [InlineData("<xml><a>&#xD800;</a></xml>")]
    [InlineData("<xml><a><![CDATA[1</a></xml>")]
    [InlineData("<xml><a>1</a></xml><xml/>")]
    [InlineData("<!DOCTYPE xml [<!ENTITY a \"1\">]><xml><a>&a;</a></xml>")]
    [InlineData("<?xml version=\"1.0\"?><!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml><a>1</a></xml>")]
    [InlineData("{\"a\":1}")]
    public void What_is_no_flat_document_is_refused(string xml) => Assert.False(new FieldSet().TryParse(Encoding.UTF8.GetBytes(xml)));

    [Fact]
    public void More_fields_than_there_may_be_are_refused()
    {
        var one = string.Concat(Enumerable.Range(0, FieldSet.MaxFields).Select(i => $"<f{i}>1</f{i}>"));

        Assert.True(new FieldSet().TryParse(Encoding.UTF8.GetBytes($"<xml>{one}</xml>")));
        Assert.False(new FieldSet().TryParse(Encoding.UTF8.GetBytes($"<xml>{one}<more>1</more></xml>")));
    }

    private static string Signed(FieldSet fields, bool hmac)
    {
        Span<byte> hex = stackalloc byte[64];
        return Encoding.ASCII.GetString(hex[..fields.Sign(Key, hmac, hex)]);
    }
}
